import { errorFields, type Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Media } from './media-source.ts';

/** After a successor was refused the next one is asked for so much later. */
const RETRY_AFTER_MS: Millis = 10_000;
/** A stream whose fragments have no end in sight is switched in mid-fragment after so long: that loses nothing either. */
const LONGEST_WAIT_MS: Millis = 5000;

export interface RotationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  readonly rotateAfterMs: Millis;
}

/**
 * The GetMedia that takes over from one that grows old, opened before that ends (daemon/README.md, decision 4). A connection
 * has one successor at a time, so a call has two connections at most.
 */
export class Rotation {
  readonly #open: (signal: AbortSignal) => Promise<Media>;
  readonly #options: RotationOptions;
  readonly #abort = new AbortController();
  #opening: Promise<void> | undefined;
  #media: Media | undefined;
  #openAtMs: Millis;
  #openedAtMs: Millis = 0;

  constructor(open: (signal: AbortSignal) => Promise<Media>, options: RotationOptions) {
    this.#open = open;
    this.#options = options;
    this.#openAtMs = options.clock.now() + options.rotateAfterMs;
  }

  /** Asked after each read: the connection to read from now on, when it is time for it. */
  takeOver(isBetweenFragments: boolean): Media | undefined {
    const nowMs = this.#options.clock.now();
    if (!this.#media) {
      if (!this.#opening && nowMs >= this.#openAtMs) this.#opening = this.#prepare();
      return undefined;
    }
    return isBetweenFragments || nowMs - this.#openedAtMs > LONGEST_WAIT_MS ? this.#media : undefined;
  }

  /** The old connection has ended by itself: the successor, when one was asked for already. */
  async afterEnd(): Promise<Media | undefined> {
    await this.#opening;
    return this.#media;
  }

  /** Gives up what was opened and is not `used`. */
  close(used: Media | undefined): void {
    this.#abort.abort();
    if (this.#media !== used) this.#media?.close();
  }

  async #prepare(): Promise<void> {
    const { clock, log, metrics } = this.#options;
    try {
      const media = await this.#open(this.#abort.signal);
      if (this.#abort.signal.aborted) {
        media.close();
        return;
      }
      log.debug(
        { event: 'kinesis.rotated', requestId: media.requestId },
        'a new connection takes over from an old one',
      );
      metrics.rotations++;
      this.#media = media;
      this.#openedAtMs = clock.now();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      log.warn({ event: 'kinesis.refused', ...errorFields(error) }, 'Kinesis refused a second connection; tries again');
      this.#openAtMs = clock.now() + RETRY_AFTER_MS;
      this.#opening = undefined;
    }
  }
}
