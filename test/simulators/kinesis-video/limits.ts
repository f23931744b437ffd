/** GetMedia and GetDataEndpoint: 5 per second per stream (daemon/kinesis/README.md). */
const PER_SECOND = 5;
/** GetMedia: 3 connections at a time per stream (daemon/kinesis/README.md). */
const CONNECTIONS_PER_STREAM = 3;

/** A token bucket per key, with the requests of one second. */
export class RateLimit {
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  /** Takes a token from the key's bucket; false if it is empty. */
  allows(key: string): boolean {
    const nowMs = performance.now();
    const bucket = this.#buckets.get(key) ?? { tokens: PER_SECOND, atMs: nowMs };
    const tokens = Math.min(PER_SECOND, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * PER_SECOND);
    const allowed = tokens >= 1;
    this.#buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    return allowed;
  }
}

/** The GetMedia connections of one stream. */
export interface ConnectionCount {
  open: number;
  /** The most that were open at the same time. */
  max: number;
}

/** Counts open GetMedia connections per stream. */
export class Connections {
  readonly #counts = new Map<string, ConnectionCount>();

  /** Reserves a connection of the stream; returns a function that releases it, or undefined if none is left. */
  open(stream: string): (() => void) | undefined {
    const count = this.#counts.get(stream) ?? { open: 0, max: 0 };
    this.#counts.set(stream, count);
    if (count.open >= CONNECTIONS_PER_STREAM) return undefined;
    count.open += 1;
    count.max = Math.max(count.max, count.open);
    return () => {
      count.open -= 1;
    };
  }

  counts(): Record<string, ConnectionCount> {
    return Object.fromEntries(this.#counts);
  }
}
