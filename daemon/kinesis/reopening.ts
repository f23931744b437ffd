import type { GapCause } from '../contract/gap-causes.ts';
import { errorFields, type Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { READ_STALL_MS } from './call-end.ts';
import { type Contact, type Position, START_MARGIN_MS } from './contact.ts';
import type { Media, MediaSource, Start } from './media-source.ts';
import { Outage } from './outage.ts';
import { KinesisRefused } from './refusal.ts';

/**
 * Delays between retries; the first retry is immediate. They leave room for others in the stream's 5 GetMedia a second
 * (daemon/kinesis/README.md).
 */
const FIRST_DELAY_MS: Millis = 250;
const LONGEST_DELAY_MS: Millis = 2000;

interface ReopeningOptions {
  readonly timers: TimerWheel;
  /** In [0, 1): calls that lost their connections together must not all come back at once. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  readonly onTrouble: (cause: GapCause) => void;
  /** Stops retrying. */
  readonly signal: AbortSignal;
}

/** The state after the previous connection. */
export interface ReopeningFrom {
  /** The last fragment received completely; undefined: none yet. */
  readonly position: Position | undefined;
  /** Attempts in a row that brought no audio; delays continue from there. */
  readonly emptyAttempts: number;
  /** The error that the stream itself reported. */
  readonly streamError: KinesisRefused | undefined;
  /** Whether to find the beginning of the call by its fragment number alone. */
  readonly isByNumber?: boolean;
}

/** Opens a contact's GetMedia connections after the first one. */
export class Reopening {
  /** The refusals since the stream last answered. */
  readonly outage = new Outage();
  readonly #contact: Contact;
  readonly #kinesis: MediaSource;
  readonly #options: ReopeningOptions;
  readonly #startedAtEpochMs: Millis;
  /** Where to start as long as no fragment has been received. */
  #beginning: Start;
  /** The fragment after which Kinesis does not resume: its successor has expired, or its number is rejected. */
  #goneAfter: string | undefined;

  constructor(contact: Contact, kinesis: MediaSource, options: ReopeningOptions) {
    this.#contact = contact;
    this.#kinesis = kinesis;
    this.#options = options;
    this.#startedAtEpochMs = options.timers.epoch();
    this.#beginning = contact.start;
  }

  /** Starts the next reading earlier than the first one, on the producer's clock. */
  rewind(atEpochMs: Millis): void {
    this.#beginning = { isCallStart: true, fragmentNumber: this.#contact.start.fragmentNumber, atEpochMs };
  }

  /** A single attempt to open a GetMedia after the position. Throws KinesisRefused. */
  open(position: Position | undefined, signal: AbortSignal): Promise<Media> {
    return this.#open(this.#startAfter(position), signal);
  }

  /**
   * Opens the next GetMedia, with retries; undefined when stopped meanwhile. Throws KinesisRefused when Kinesis refuses
   * permanently, or for five minutes.
   */
  async reopen({
    position,
    emptyAttempts,
    streamError,
    isByNumber = false,
  }: ReopeningFrom): Promise<Media | undefined> {
    const { timers, log, metrics, signal } = this.#options;
    if (streamError) this.#noteStreamError(streamError, position);
    // The first retry after an error inside the stream is immediate too.
    const retriesBefore = emptyAttempts - Number(streamError !== undefined);
    for (;;) {
      const attempt = retriesBefore + this.outage.refusals;
      try {
        await timers.sleep(this.#delayMs(attempt), signal);
        const media = await this.#open(this.#startAfter(position, isByNumber), signal);
        metrics.resumes++;
        const fields = { event: 'kinesis.resumed', attempt, requestId: media.requestId };
        log.info(fields, 'resumed after a connection ended');
        return media;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (this.outage.note(error, timers.awakeMs)) throw error;
        log.warn({ event: 'kinesis.refused', attempt, ...errorFields(error) }, 'Kinesis refused to resume: retrying');
        if (error instanceof KinesisRefused && error.isOfPosition) this.#noteGone(position);
      }
    }
  }

  #noteStreamError(error: KinesisRefused, position: Position | undefined): void {
    const { timers, log } = this.#options;
    if (this.outage.note(error, timers.awakeMs)) throw error;
    if (error.isFragmentGone) this.#noteGone(position);
    else log.warn({ event: 'kinesis.refused', ...errorFields(error) }, 'the stream ended with an error: retrying');
  }

  #startAfter(position: Position | undefined, isByNumber = false): Start {
    const { fragmentNumber } = position ?? this.#contact.start;
    if (fragmentNumber === this.#goneAfter) return { atEpochMs: this.#timeOf(position) };
    return position ?? (isByNumber ? { fragmentNumber } : this.#beginning);
  }

  #open(start: Start, signal: AbortSignal): Promise<Media> {
    const unanswered = this.#options.timers.timeout(READ_STALL_MS);
    return this.#kinesis.getMedia(this.#contact.streamArn, start, AbortSignal.any([signal, unanswered]));
  }

  #delayMs(attempt: number): Millis {
    if (attempt <= 0) return 0;
    const { random } = this.#options;
    return backoffMs(attempt - 1, { firstMs: FIRST_DELAY_MS, longestMs: LONGEST_DELAY_MS, random });
  }

  /** From here on, resumes with whatever the stream still has after the beginning of the last complete fragment. */
  #noteGone(position: Position | undefined): void {
    const { log, onTrouble } = this.#options;
    const { fragmentNumber } = position ?? this.#contact.start;
    if (this.#goneAfter === fragmentNumber) return;
    this.#goneAfter = fragmentNumber;
    onTrouble('fragment-gone');
    const fields = { event: 'kinesis.fragment-gone', atEpochMs: this.#timeOf(position) };
    log.warn(fields, 'the stream does not continue after the last fragment: resuming by time');
  }

  #timeOf(position: Position | undefined): Millis {
    const startMs = 'atEpochMs' in this.#beginning ? this.#beginning.atEpochMs : undefined;
    return position?.producerEpochMs ?? startMs ?? this.#startedAtEpochMs - START_MARGIN_MS;
  }
}
