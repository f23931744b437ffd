import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient, type StartSelector } from '@aws-sdk/client-kinesis-video-media';
import type { Clock, Millis } from '../runtime/clock.ts';
import { RateLimiter } from '../runtime/rate-limiter.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import type { Position } from './contact.ts';
import type { MediaBytes } from './http/media-body.ts';
import { MediaPayload, MediaTransport } from './http/media-transport.ts';
import { type KinesisRefused, kinesisRefusal } from './refusal.ts';

/** Streams remembered before those that nobody asks for are forgotten: more than any Connect instance pools. */
const MAX_STREAMS = 10_000;
/** A connection that is not there within this is given up; a start has its own, shorter deadline. */
const CONNECT_TIMEOUT_MS: Millis = 10_000;
/** daemon/kinesis/README.md: 5 GetMedia and 5 GetDataEndpoint per second and stream; a tenth is left to others. */
const STREAM_INTERVAL_MS: Millis = 1000 / 4.5;
/** daemon/kinesis/README.md: 300 GetDataEndpoint per second and account, of which this instance takes no more than this. */
const ENDPOINT_INTERVAL_MS: Millis = 1000 / 270;

/** One GetMedia that Kinesis has answered. */
export interface Media {
  readonly requestId: string | undefined;
  /** MKV, until the service ends it or the connection breaks. */
  readonly body: MediaBytes;
  /** Ends the connection; `body` has no more then. */
  close(): void;
}

/** Where a GetMedia begins: right after a fragment, or at a moment when the fragment is no longer there. */
export type Start = Position | { readonly fragmentNumber: string } | { readonly atEpochMs: Millis };

/** Where streams are read. */
export interface MediaSource {
  /**
   * Opens one GetMedia, when the service's rate limits let it. Throws KinesisRefused when Kinesis answers anything but
   * 200, or does not answer.
   */
  getMedia(streamArn: string, start: Start, signal: AbortSignal): Promise<Media>;
}

/** Kinesis Video of one region. */
export interface Kinesis extends MediaSource {
  /**
   * Looks whether GetDataEndpoint can be asked at all, about a stream that need not exist. Throws KinesisRefused when
   * not. Gives how far our clock is from the service's.
   */
  probe(signal: AbortSignal): Promise<{ clockSkewMs: Millis }>;
  /** Ends the connections that are kept for later use. */
  close(): void;
}

/** What Node calls a connection that the other side has closed. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
/** Nobody has a stream of this name; a role that may ask is told so, one that may not is not. */
const PROBE_STREAM = 'integratord-doctor';

/** What is known of a stream: shared by all its sessions. */
interface Stream {
  readonly rateLimiter: RateLimiter;
  endpoint: Promise<string> | undefined;
}

/**
 * Kinesis Video in `region`, with the SDK's own credentials and its own AWS_ENDPOINT_URL_KINESIS_VIDEO.
 * @param threads how many share what the account may ask for; a stream's sessions are all in one of them
 */
export function connectKinesis(region: string, clock: Clock, timers: TimerWheel, threads = 1): Kinesis {
  // The SDK's default of 50 sockets would let the 51st start in a burst wait for the others.
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: Infinity });
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: Infinity });
  // One attempt: who retries knows the deadline (the trigger at a start, the reader in a running call).
  const common = { region, maxAttempts: 1 };
  const requestHandler = { httpAgent, httpsAgent, connectionTimeout: CONNECT_TIMEOUT_MS };
  const control = new KinesisVideoClient({ ...common, requestHandler });
  const transport = new MediaTransport(timers, CONNECT_TIMEOUT_MS);
  const media = new Map<string, KinesisVideoMediaClient>();
  const streams = new Map<string, Stream>();
  const endpointLimiter = new RateLimiter(ENDPOINT_INTERVAL_MS * threads, clock);

  function streamAt(arn: string): Stream {
    let stream = streams.get(arn);
    if (!stream) {
      if (streams.size >= MAX_STREAMS)
        for (const [key, { rateLimiter }] of streams) if (rateLimiter.isFree) streams.delete(key);
      stream = { rateLimiter: new RateLimiter(STREAM_INTERVAL_MS, clock), endpoint: undefined };
      streams.set(arn, stream);
    }
    return stream;
  }

  async function askEndpoint(arn: string): Promise<string> {
    // Not a session's own signal: whoever else waits for the same endpoint goes on waiting.
    const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
    await endpointLimiter.acquire(signal);
    const command = new GetDataEndpointCommand({ StreamARN: arn, APIName: 'GET_MEDIA' });
    const { DataEndpoint: endpoint } = await onceMore(() => control.send(command, { abortSignal: signal }));
    if (!endpoint) throw new Error('GetDataEndpoint answered without an endpoint');
    return endpoint;
  }

  /** The stream's endpoint: asked for once for all of its sessions, and again after it could not be had. */
  function endpointOf(arn: string, stream: Stream): Promise<string> {
    if (stream.endpoint) return stream.endpoint;
    const asked = askEndpoint(arn);
    stream.endpoint = asked;
    asked.catch(() => {
      if (stream.endpoint === asked) stream.endpoint = undefined;
    });
    return asked;
  }

  function mediaAt(endpoint: string): KinesisVideoMediaClient {
    let client = media.get(endpoint);
    if (!client) {
      client = new KinesisVideoMediaClient({
        ...common,
        endpoint,
        requestHandler: transport,
        credentials: control.config.credentials,
      });
      media.set(endpoint, client);
    }
    return client;
  }

  async function ask(arn: string, stream: Stream, start: Start, signal: AbortSignal): Promise<Media> {
    const client = mediaAt(await withSignal(endpointOf(arn, stream), signal));
    await stream.rateLimiter.acquire(signal);
    const command = new GetMediaCommand({ StreamARN: arn, StartSelector: selector(start) });
    // The SDK ends the body too when its signal comes after the answer; ours is for the asking only.
    const asking = new AbortController();
    const { Payload, $metadata } = await withSignal(client.send(command, { abortSignal: asking.signal }), signal, () =>
      asking.abort(),
    );
    const payload: unknown = Payload;
    if (!(payload instanceof MediaPayload)) throw new Error('GetMedia answered without a body');
    const body = payload.media;
    return { requestId: $metadata.requestId, body, close: () => body.close() };
  }

  return {
    async getMedia(streamArn, start, signal) {
      const stream = streamAt(streamArn);
      try {
        return await ask(streamArn, stream, start, signal);
      } catch (error) {
        const refusal = kinesisRefusal(error, streamArn);
        // daemon/kinesis/README.md: caching is allowed if the endpoint is reloaded on failure.
        if (isOfEndpoint(refusal)) stream.endpoint = undefined;
        throw refusal;
      }
    },
    async probe(signal) {
      try {
        const command = new GetDataEndpointCommand({ StreamName: PROBE_STREAM, APIName: 'GET_MEDIA' });
        await onceMore(() => control.send(command, { abortSignal: signal }));
      } catch (error) {
        const refusal = kinesisRefusal(error, PROBE_STREAM);
        if (refusal.status !== 404) throw refusal;
      }
      return { clockSkewMs: control.config.systemClockOffset };
    },
    close() {
      control.destroy();
      for (const client of media.values()) client.destroy();
    },
  };
}

/**
 * Sends, and sends again when the connection broke before an answer: one that was kept may be closed by the service just
 * when it is used again, and that says nothing of the next.
 */
async function onceMore<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return send();
  }
}

/** Whether another endpoint may help: not where Kinesis has understood the request and limits it. */
function isOfEndpoint({ awsName }: KinesisRefused): boolean {
  return !/LimitExceeded|Throttling|AbortError/.test(awsName);
}

function selector(start: Start): StartSelector {
  if ('atEpochMs' in start) {
    return { StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(start.atEpochMs) };
  }
  if ('continuationToken' in start && start.continuationToken) {
    return { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: start.continuationToken };
  }
  return { StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: start.fragmentNumber };
}

/** What the promise comes to, or the signal's reason when that comes first, which `onAbort` is told. */
async function withSignal<T>(promise: Promise<T>, signal: AbortSignal, onAbort: () => void = () => {}): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    reject(signal.reason);
    onAbort();
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
