import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { RateLimiter } from '../runtime/rate-limiter.ts';
import type { Media, MediaSource, Start } from './media-source.ts';
import { KinesisRefused, kinesisRefusal } from './refusal.ts';

/** Above this number, unused streams are forgotten; more than any Connect instance pools. */
const MAX_STREAMS = 10_000;
/** daemon/kinesis/README.md: 5 GetMedia and 5 GetDataEndpoint a second per stream; a tenth is left to others. */
const STREAM_INTERVAL_MS: Millis = 1000 / 4.5;
/** daemon/kinesis/README.md: 300 GetDataEndpoint a second per account; this instance takes no more than 270. */
const ENDPOINT_INTERVAL_MS: Millis = 1000 / 270;
/** GetDataEndpoint serves every session of the stream, so it gets its own deadline, not one session's. */
const ENDPOINT_TIMEOUT_MS: Millis = 10_000;

/** The two calls that reading a stream takes. */
export interface KinesisVideoApi {
  getDataEndpoint(streamArn: string, signal: AbortSignal): Promise<string>;
  getMedia(endpoint: string, streamArn: string, start: Start, signal: AbortSignal): Promise<Media>;
}

/** A stream's endpoint, requested once for all sessions that wait for it. */
interface Endpoint {
  readonly url: Promise<string>;
  /** Sessions that wait for it. */
  waiting: number;
  /** Gives up its turn when no session waits any longer; undefined once it has had its turn. */
  abandon: (() => void) | undefined;
}

/** What all sessions of a stream share. */
interface Stream {
  readonly rateLimiter: RateLimiter;
  endpoint: Endpoint | undefined;
}

/** Opens streams within the service's rate limits, with a cached endpoint per stream. */
export class Streams implements MediaSource {
  readonly #api: KinesisVideoApi;
  readonly #clock: Clock;
  readonly #endpointLimiter: RateLimiter;
  readonly #streams = new Map<string, Stream>();

  /** @param threads how many share the account's limit; all sessions of a stream are on one of them */
  constructor(api: KinesisVideoApi, clock: Clock, threads: number) {
    this.#api = api;
    this.#clock = clock;
    this.#endpointLimiter = new RateLimiter(ENDPOINT_INTERVAL_MS * threads, clock);
  }

  /** A position that Kinesis rejects is requested once more by its fragment number. */
  async getMedia(streamArn: string, start: Start, signal: AbortSignal): Promise<Media> {
    try {
      return await this.#getMedia(streamArn, start, signal);
    } catch (error) {
      const byNumber = error instanceof KinesisRefused && error.isOfPosition ? byFragmentNumber(start) : undefined;
      if (!byNumber) throw error;
      return { ...(await this.#getMedia(streamArn, byNumber, signal)), isByNumber: true };
    }
  }

  async #getMedia(streamArn: string, start: Start, signal: AbortSignal): Promise<Media> {
    const stream = this.#streamAt(streamArn);
    try {
      const endpoint = await this.#endpointOf(streamArn, stream, signal);
      await stream.rateLimiter.acquire(signal);
      return await this.#api.getMedia(endpoint, streamArn, start, signal);
    } catch (error) {
      const refusal = kinesisRefusal(error, streamArn);
      // daemon/kinesis/README.md: caching is allowed if the endpoint is reloaded on failure.
      if (mayBeOfEndpoint(refusal)) stream.endpoint = undefined;
      throw refusal;
    }
  }

  #streamAt(arn: string): Stream {
    let stream = this.#streams.get(arn);
    if (!stream) {
      if (this.#streams.size >= MAX_STREAMS) this.#forgetUnused();
      stream = { rateLimiter: new RateLimiter(STREAM_INTERVAL_MS, this.#clock), endpoint: undefined };
      this.#streams.set(arn, stream);
    }
    return stream;
  }

  #forgetUnused(): void {
    for (const [arn, { rateLimiter }] of this.#streams) if (rateLimiter.isFree) this.#streams.delete(arn);
  }

  /** The stream's endpoint: requested once for all its sessions, and again after a failure. */
  async #endpointOf(arn: string, stream: Stream, signal: AbortSignal): Promise<string> {
    stream.endpoint ??= this.#requestEndpoint(arn, stream);
    const { endpoint } = stream;
    endpoint.waiting++;
    try {
      return await orAborted(endpoint.url, signal);
    } finally {
      endpoint.waiting--;
      if (endpoint.waiting === 0 && signal.aborted) endpoint.abandon?.();
    }
  }

  #requestEndpoint(arn: string, stream: Stream): Endpoint {
    const abandoned = new AbortController();
    const signal = AbortSignal.any([abandoned.signal, this.#clock.timeout(ENDPOINT_TIMEOUT_MS)]);
    const request = async () => {
      await this.#endpointLimiter.acquire(signal);
      // From here on the answer may as well be kept for the next session; what could abandon it need not be kept.
      endpoint.abandon = undefined;
      return this.#api.getDataEndpoint(arn, signal);
    };
    const forget = () => {
      if (stream.endpoint === endpoint) stream.endpoint = undefined;
    };
    const abandon = () => {
      forget();
      abandoned.abort();
    };
    const url = request();
    const endpoint: Endpoint = { url, waiting: 0, abandon };
    url.catch(forget);
    return endpoint;
  }
}

/** The same place by its fragment number; undefined if it was named by that, or has none. */
function byFragmentNumber(start: Start): Start | undefined {
  const isNamedOtherwise =
    ('continuationToken' in start && start.continuationToken) ||
    ('atEpochMs' in start && start.atEpochMs !== undefined);
  return isNamedOtherwise && 'fragmentNumber' in start ? { fragmentNumber: start.fragmentNumber } : undefined;
}

/** Whether another endpoint may help: not when Kinesis limits requests. */
function mayBeOfEndpoint({ awsName }: KinesisRefused): boolean {
  return !/LimitExceeded|Throttling|AbortError/.test(awsName);
}
