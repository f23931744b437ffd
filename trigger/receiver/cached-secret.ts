import type { Clock, Millis } from '../../daemon/runtime/clock.ts';

/** An older value is read again: a changed secret is used soon. */
const MAX_AGE_MS: Millis = 5 * 60_000;
/** Wrong signatures and tokens must not make us read the secret again and again. */
const MIN_AGE_MS: Millis = 30_000;

/** A secret that is kept while the function is warm. */
export class CachedSecret<Value> {
  readonly #read: () => Promise<Value>;
  readonly #clock: Pick<Clock, 'epoch'>;
  #cached: { value: Promise<Value>; readAtEpochMs: Millis } | undefined;

  /** `read` rejects if the secret cannot be read now. */
  constructor(read: () => Promise<Value>, clock: Pick<Clock, 'epoch'>) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Rejects if the secret cannot be read; the next call tries again. */
  get(): Promise<Value> {
    return this.#notOlderThan(MAX_AGE_MS);
  }

  /** True if `accepts` takes the cached value, or the value that is then read again in case the secret has changed. */
  async isAccepted(accepts: (value: Value) => boolean): Promise<boolean> {
    const cached = await this.get();
    if (accepts(cached)) return true;
    const renewed = await this.#notOlderThan(MIN_AGE_MS);
    return renewed !== cached && accepts(renewed);
  }

  #notOlderThan(ageMs: Millis): Promise<Value> {
    // Lambda may stop the monotonic clock between invocations, but not the time of day.
    const now = this.#clock.epoch();
    if (this.#cached && now - this.#cached.readAtEpochMs < ageMs) return this.#cached.value;
    const value = this.#read();
    const cached = { value, readAtEpochMs: now };
    this.#cached = cached;
    value.catch(() => {
      if (this.#cached === cached) this.#cached = undefined;
    });
    return value;
  }
}
