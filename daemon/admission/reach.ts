import { DeepgramUnreachable } from '../deepgram/errors.ts';
import { KinesisRefused } from '../kinesis/refusal.ts';
import { errorFields, type Log } from '../log/log.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';

/** A start takes about 350 ms; an instance without a route would otherwise need the caller's whole deadline to say so. */
const SUSPECT_AFTER_MS: Millis = 1000;
/** A lost SYN is sent again after 1 s. */
const PROBE_TIMEOUT_MS: Millis = 1300;
/** While cut off, and at most this often while in doubt. */
const PROBE_EVERY_MS: Millis = 1000;

/** Deepgram or Kinesis Video cannot be reached from this instance; another one may reach them. */
export class CutOff extends Error {
  override readonly name = 'CutOff';

  constructor(cause: Error) {
    super(`This instance is cut off: ${cause.message}`, { cause });
  }
}

export interface ReachOptions {
  /** Connects to Deepgram and to Kinesis Video. Rejects with the one that cannot be reached. */
  readonly probe: (signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Knows whether this instance can reach Deepgram and Kinesis Video. Starts raise the doubt: one that cannot connect, or
 * that nothing has answered for a second. A connection attempt of our own decides. While cut off, the health check fails
 * and starts are refused at once, pending ones too, so that the trigger's retry reaches another instance in time. If all
 * instances are cut off, the load balancer routes to all of them, as it does when none is healthy.
 */
export class Reach {
  readonly #options: ReachOptions;
  #cutOff: CutOff | undefined;
  /** Aborts the starts that are pending when the instance turns out to be cut off. */
  #pending = new AbortController();
  #isProbing = false;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /** Why starts are refused; undefined while nothing is known to be out of reach. */
  get cutOff(): CutOff | undefined {
    return this.#cutOff;
  }

  /** The outcome of a start. Throws CutOff, after `abandon`, when the instance turns out to be cut off meanwhile. */
  async follow<T>(start: Promise<T>, abandon: () => void): Promise<T> {
    const { clock } = this.#options;
    const cancel = clock.after(SUSPECT_AFTER_MS, () => this.#doubt());
    try {
      return await orAborted(start, this.#pending.signal, abandon);
    } catch (error) {
      if (isUnreachable(error)) this.#doubt();
      throw error;
    } finally {
      cancel();
    }
  }

  #doubt(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    void this.#probe().finally(() => {
      this.#isProbing = false;
    });
  }

  /** Probes once, and while that fails, until it succeeds. */
  async #probe(): Promise<void> {
    const { clock, log } = this.#options;
    for (;;) {
      const error = await this.#failure();
      if (error && !this.#cutOff) {
        const message = 'cannot reach Deepgram or Kinesis Video: refusing starts until both can be reached';
        log.error({ event: 'daemon.cut-off', ...errorFields(error) }, message);
        this.#cutOff = new CutOff(error);
        this.#pending.abort(this.#cutOff);
        this.#pending = new AbortController();
      }
      await clock.sleep(PROBE_EVERY_MS);
      if (!error) break;
    }
    if (!this.#cutOff) return;
    this.#cutOff = undefined;
    log.info({ event: 'daemon.reachable-again' }, 'Deepgram and Kinesis Video can be reached again');
  }

  async #failure(): Promise<Error | undefined> {
    const { probe, clock } = this.#options;
    try {
      await probe(clock.timeout(PROBE_TIMEOUT_MS));
      return undefined;
    } catch (error) {
      // A refusal is an answer.
      return isUnreachable(error) ? (error as Error) : undefined;
    }
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof DeepgramUnreachable || (error instanceof KinesisRefused && error.isUnreachable);
}
