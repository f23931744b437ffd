import { errorFields, type Log } from '../log/log.ts';
import type { HoleCause, SessionMetrics } from '../metrics/session-metrics.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Contact, Position } from './contact.ts';
import type { Media, MediaSource, Start } from './media-source.ts';
import { KinesisRefused } from './refusal.ts';

/**
 * Delays between retries; the first retry is immediate. They leave room for others in the stream's 5 GetMedia a second
 * (daemon/kinesis/README.md).
 */
const FIRST_DELAY_MS: Millis = 250;
const LONGEST_DELAY_MS: Millis = 2000;
/**
 * daemon/kinesis/README.md: without retention the last five minutes stay readable; after that nothing can be resumed.
 */
const GIVE_UP_MS: Millis = 5 * 60_000;
/** How long before the session's start to resume if its first fragment is gone: clocks differ. */
const START_MARGIN_MS: Millis = 10_000;

export interface ReopeningOptions {
  readonly clock: Clock;
  /** In [0, 1): calls that lost their connections together must not all come back at once. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  readonly onTrouble: (cause: HoleCause) => void;
  /** Stops retrying. */
  readonly signal: AbortSignal;
  /** A GetMedia without a response for this long is retried. */
  readonly readStallMs: Millis;
}

/** The state after the previous connection. */
export interface ReopeningFrom {
  /** The last fragment received completely; undefined: none yet. */
  readonly position: Position | undefined;
  /** Attempts in a row that brought no audio; delays continue from there. */
  readonly emptyAttempts: number;
  /** The error that the stream itself reported. */
  readonly streamError: KinesisRefused | undefined;
}

/** Opens a contact's GetMedia connections after the first one. */
export class Reopening {
  readonly #contact: Contact;
  readonly #kinesis: MediaSource;
  readonly #options: ReopeningOptions;
  readonly #startedAtEpochMs: Millis;

  constructor(contact: Contact, kinesis: MediaSource, options: ReopeningOptions) {
    this.#contact = contact;
    this.#kinesis = kinesis;
    this.#options = options;
    this.#startedAtEpochMs = options.clock.epoch();
  }

  /** A single attempt to open a GetMedia after the position. Throws KinesisRefused. */
  open(position: Position | undefined, signal: AbortSignal): Promise<Media> {
    return this.#open(position ?? this.#contact.start, signal);
  }

  /**
   * Opens the next GetMedia, with retries; undefined when stopped meanwhile. Throws KinesisRefused when Kinesis refuses
   * permanently, or for five minutes.
   */
  async reopen({ position, emptyAttempts, streamError }: ReopeningFrom): Promise<Media | undefined> {
    if (streamError && !streamError.retryable) throw streamError;
    const start = streamError?.isFragmentGone ? this.#byTime(position) : (position ?? this.#contact.start);
    const { clock, log, metrics, signal } = this.#options;
    const sinceMs = clock.now();
    for (let attempt = emptyAttempts; ; attempt++) {
      try {
        await clock.sleep(this.#delayMs(attempt), signal);
        const media = await this.#open(start, signal);
        metrics.resumes++;
        const fields = { event: 'kinesis.resumed', attempt, requestId: media.requestId };
        log.info(fields, 'resumed after a connection ended');
        return media;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (isFinal(error, clock.now() - sinceMs)) throw error;
        log.warn({ event: 'kinesis.refused', attempt, ...errorFields(error) }, 'Kinesis refused to resume: retrying');
      }
    }
  }

  #open(start: Start, signal: AbortSignal): Promise<Media> {
    const { clock, readStallMs } = this.#options;
    const unanswered = clock.timeout(readStallMs);
    return this.#kinesis.getMedia(this.#contact.streamArn, start, AbortSignal.any([signal, unanswered]));
  }

  #delayMs(attempt: number): Millis {
    if (attempt === 0) return 0;
    const { random } = this.#options;
    return backoffMs(attempt - 1, { firstMs: FIRST_DELAY_MS, longestMs: LONGEST_DELAY_MS, random });
  }

  /** Resumes with whatever the stream still has after the beginning of the last complete fragment. */
  #byTime(position: Position | undefined): Start {
    const { log, onTrouble } = this.#options;
    const atEpochMs = position?.producerEpochMs ?? this.#startedAtEpochMs - START_MARGIN_MS;
    onTrouble('fragment-gone');
    log.warn({ event: 'kinesis.fragment-gone', atEpochMs }, 'the next fragment is gone: resuming by time');
    return { atEpochMs };
  }
}

/** Whether a refusal ends the call. */
function isFinal(error: unknown, triedForMs: Millis): boolean {
  const mayPass = error instanceof KinesisRefused && error.retryable;
  return !mayPass || triedForMs > GIVE_UP_MS;
}
