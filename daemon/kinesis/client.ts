import { Agent as HttpAgent } from 'node:http';
import { GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient, type StartSelector } from '@aws-sdk/client-kinesis-video-media';
import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { Egress } from '../runtime/egress.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { MediaPayload, MediaTransport } from './http/media-transport.ts';
import type { Media, MediaSource, Start } from './media-source.ts';
import { kinesisRefusal } from './refusal.ts';
import { onceMore, SecondAttempt } from './second-attempt.ts';
import { Streams } from './streams.ts';

/** A connection that is not established by then is given up; a start has its own, shorter deadline. */
const CONNECT_TIMEOUT_MS: Millis = 10_000;

/** Kinesis Video of one region. */
export interface Kinesis extends MediaSource {
  /**
   * Checks whether GetDataEndpoint can be called at all, with a stream that need not exist. Throws KinesisRefused when
   * it cannot. Returns how far our clock is from the service's.
   */
  probe(signal: AbortSignal): Promise<{ clockSkewMs: Millis }>;
  /** Checks whether there are credentials to sign with. Throws KinesisRefused when there are none. */
  checkCredentials(signal: AbortSignal): Promise<void>;
  /** Closes idle connections. */
  close(): void;
}

/** No stream has this name: an authorized role gets a 404, any other one is refused. */
const PROBE_STREAM = 'integratord-doctor';

/**
 * Kinesis Video in `region`, with the SDK's own credentials and its own AWS_ENDPOINT_URL_KINESIS_VIDEO.
 * @param threads how many share the account's limits; all sessions of a stream are on one of them
 */
export function connectKinesis(
  region: string,
  clock: Clock,
  timers: TimerWheel,
  threads = 1,
  egress = new Egress(),
): Kinesis {
  // With the SDK's default of 50 sockets, the 51st start in a burst would wait for the others.
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: Infinity });
  const httpsAgent = egress.agent({ keepAlive: true, maxSockets: Infinity });
  // One attempt: the callers retry, because they know the deadline (the trigger at a start, the reader during a call).
  const common = { region, maxAttempts: 1 };
  const requestHandler = { httpAgent, httpsAgent, connectionTimeout: CONNECT_TIMEOUT_MS };
  const control = new KinesisVideoClient({ ...common, requestHandler });
  const transport = new MediaTransport(timers, CONNECT_TIMEOUT_MS, egress);
  const media = new Map<string, KinesisVideoMediaClient>();
  const attempts = new SecondAttempt(control.config.credentials, clock);

  function mediaAt(endpoint: string): KinesisVideoMediaClient {
    let client = media.get(endpoint);
    if (!client) {
      const { credentials } = control.config;
      client = new KinesisVideoMediaClient({ ...common, endpoint, requestHandler: transport, credentials });
      media.set(endpoint, client);
    }
    return client;
  }

  const askEndpoint = (command: GetDataEndpointCommand, abortSignal: AbortSignal) =>
    attempts.send(() => onceMore(() => control.send(command, { abortSignal })));

  async function getDataEndpoint(arn: string, signal: AbortSignal): Promise<string> {
    const command = new GetDataEndpointCommand({ StreamARN: arn, APIName: 'GET_MEDIA' });
    const { DataEndpoint: endpoint } = await askEndpoint(command, signal);
    if (!endpoint) throw new Error('GetDataEndpoint answered without an endpoint');
    return endpoint;
  }

  async function getMedia(endpoint: string, arn: string, start: Start, signal: AbortSignal): Promise<Media> {
    const command = new GetMediaCommand({ StreamARN: arn, StartSelector: selector(start) });
    const { Payload, ContentType, $metadata } = await attempts.send(() => {
      // The SDK keeps its signal for the body too; ours must only cancel the request.
      const request = new AbortController();
      const sent = mediaAt(endpoint).send(command, { abortSignal: request.signal });
      return orAborted(sent, signal, () => request.abort());
    });
    const payload: unknown = Payload;
    if (!(payload instanceof MediaPayload)) throw new Error('GetMedia answered without a body');
    const body = payload.media;
    if (ContentType?.startsWith('text/html')) {
      body.close();
      throw new NotAStream('GetMedia answered with a page of HTML, which is a proxy’s');
    }
    return { requestId: $metadata.requestId, body, close: () => body.close() };
  }

  const streams = new Streams({ getDataEndpoint, getMedia }, clock, threads);
  return {
    getMedia: (streamArn, start, signal) => streams.getMedia(streamArn, start, signal),
    async probe(signal) {
      try {
        const command = new GetDataEndpointCommand({ StreamName: PROBE_STREAM, APIName: 'GET_MEDIA' });
        await askEndpoint(command, signal);
      } catch (error) {
        const refusal = kinesisRefusal(error, PROBE_STREAM);
        if (refusal.status !== 404) throw refusal;
      }
      return { clockSkewMs: control.config.systemClockOffset };
    },
    async checkCredentials(signal) {
      try {
        await orAborted(control.config.credentials(), signal);
      } catch (error) {
        throw kinesisRefusal(error, `region ${region}`);
      }
    },
    close() {
      control.destroy();
      for (const client of media.values()) client.destroy();
    },
  };
}

/** A response with HTTP 200 that is not the service's. */
class NotAStream extends Error {
  override readonly name = 'NotAStream';
}

function selector(start: Start): StartSelector {
  if ('atEpochMs' in start && start.atEpochMs !== undefined) {
    return { StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(start.atEpochMs) };
  }
  if ('continuationToken' in start && start.continuationToken) {
    return { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: start.continuationToken };
  }
  if (!('fragmentNumber' in start)) throw new TypeError('a start without a time or a fragment number');
  return { StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: start.fragmentNumber };
}
