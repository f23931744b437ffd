import { errorFields, type Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Media } from './media-source.ts';

/** How long to wait after a refused successor. */
const RETRY_AFTER_MS: Millis = 10_000;
/** After this long without the end of a fragment, switch in the middle of one: that loses nothing either. */
const LONGEST_WAIT_MS: Millis = 5000;

interface RotationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  readonly rotateAfterMs: Millis;
}

/**
 * Opens the successor of a connection before the service ends the connection (daemon/README.md, decision 4). A
 * connection has one successor at a time, so a call has at most two connections.
 */
export class Rotation {
  readonly #open: (signal: AbortSignal) => Promise<Media>;
  readonly #options: RotationOptions;
  /** Set while a successor is requested or in use. */
  #abort: AbortController | undefined;
  #opening: Promise<void> | undefined;
  #successor: Media | undefined;
  #openAtMs: Millis;
  #openedAtMs: Millis = 0;

  constructor(open: (signal: AbortSignal) => Promise<Media>, options: RotationOptions) {
    this.#open = open;
    this.#options = options;
    this.#openAtMs = options.clock.now() + options.rotateAfterMs;
  }

  /** Call after each read. Returns the successor once it is time to switch to it. */
  takeOver(isBetweenFragments: boolean): Media | undefined {
    const nowMs = this.#options.clock.now();
    if (!this.#successor) {
      if (!this.#opening && nowMs >= this.#openAtMs) this.#opening = this.#prepare();
      return undefined;
    }
    return isBetweenFragments || nowMs - this.#openedAtMs > LONGEST_WAIT_MS ? this.#successor : undefined;
  }

  /** The successor for a connection that has ended by itself, if one was requested. A stop does not wait for it. */
  async afterEnd(signal: AbortSignal): Promise<Media | undefined> {
    await orAborted(this.#opening ?? Promise.resolve(), signal).catch(() => {});
    return this.#successor;
  }

  /** Cancels a pending request, and closes a successor that is not `used`. */
  close(used: Media | undefined): void {
    this.#abort?.abort();
    if (this.#successor !== used) this.#successor?.close();
  }

  async #prepare(): Promise<void> {
    const { clock, log, metrics } = this.#options;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const media = await this.#open(signal);
      if (signal.aborted) {
        media.close();
        return;
      }
      log.debug(
        { event: 'kinesis.rotated', requestId: media.requestId },
        'a new connection takes over from the old one',
      );
      metrics.rotations++;
      this.#successor = media;
      this.#openedAtMs = clock.now();
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ event: 'kinesis.refused', ...errorFields(error) }, 'Kinesis refused a second connection: retrying');
      this.#openAtMs = clock.now() + RETRY_AFTER_MS;
      this.#opening = undefined;
    }
  }
}
