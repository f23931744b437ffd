import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient, type StartSelector } from '@aws-sdk/client-kinesis-video-media';
import type { Position } from './contact-filter.ts';
import { kinesisRefusal } from './refusal.ts';

/** Endpoints kept before the oldest is forgotten: more streams than any Connect instance pools. */
const MAX_ENDPOINTS = 10_000;
/** A connection that Kinesis does not answer within this is given up; a start has its own, shorter deadline. */
const CONNECT_TIMEOUT_MS = 10_000;

/** One GetMedia that Kinesis has answered. */
export interface Media {
  readonly requestId: string | undefined;
  /** MKV bytes until the service ends them; throws when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection; `body` then throws or ends. */
  close(): void;
}

/** Where a GetMedia begins: right after a fragment. Without a token its number is used. */
export type After = Pick<Position, 'fragmentNumber'> & Partial<Position>;

export interface Kinesis {
  /** Opens one GetMedia. Throws KinesisRefused when Kinesis answers anything but 200, or does not answer. */
  getMedia(streamArn: string, after: After, signal: AbortSignal): Promise<Media>;
  /** Ends the connections that are kept for later use. */
  close(): void;
}

/** Kinesis Video in `region`, with the SDK's own credentials and its own AWS_ENDPOINT_URL_KINESIS_VIDEO. */
export function connectKinesis(region: string): Kinesis {
  // The SDK's default of 50 sockets would let the 51st call on an endpoint wait for ever.
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: Infinity });
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: Infinity });
  const requestHandler = { httpAgent, httpsAgent, connectionTimeout: CONNECT_TIMEOUT_MS };
  // One attempt: who retries knows the deadline (the trigger at a start, the reader in a running call).
  const common = { region, requestHandler, maxAttempts: 1 };
  const control = new KinesisVideoClient(common);
  const media = new Map<string, KinesisVideoMediaClient>();
  const endpoints = new Map<string, string>();

  async function endpointOf(streamArn: string, signal: AbortSignal): Promise<string> {
    const known = endpoints.get(streamArn);
    if (known) return known;
    const command = new GetDataEndpointCommand({ StreamARN: streamArn, APIName: 'GET_MEDIA' });
    const { DataEndpoint: endpoint } = await control.send(command, { abortSignal: signal });
    if (!endpoint) throw new Error('GetDataEndpoint answered without an endpoint');
    endpoints.set(streamArn, endpoint);
    if (endpoints.size > MAX_ENDPOINTS) endpoints.delete(endpoints.keys().next().value as string);
    return endpoint;
  }

  function mediaAt(endpoint: string): KinesisVideoMediaClient {
    let client = media.get(endpoint);
    if (!client) {
      client = new KinesisVideoMediaClient({ ...common, endpoint, credentials: control.config.credentials });
      media.set(endpoint, client);
    }
    return client;
  }

  return {
    async getMedia(streamArn, after, signal) {
      try {
        const client = mediaAt(await endpointOf(streamArn, signal));
        const command = new GetMediaCommand({ StreamARN: streamArn, StartSelector: selector(after) });
        const { Payload, $metadata } = await client.send(command, { abortSignal: signal });
        if (!Payload) throw new Error('GetMedia answered without a body');
        const body = Payload as Readable;
        return { requestId: $metadata.requestId, body, close: () => body.destroy() };
      } catch (error) {
        // kinesis-video.md: caching is allowed if the endpoint is reloaded on failure.
        endpoints.delete(streamArn);
        throw kinesisRefusal(error, streamArn);
      }
    },
    close() {
      control.destroy();
      for (const client of media.values()) client.destroy();
    },
  };
}

function selector({ fragmentNumber, continuationToken }: After): StartSelector {
  return continuationToken
    ? { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: continuationToken }
    : { StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: fragmentNumber };
}
