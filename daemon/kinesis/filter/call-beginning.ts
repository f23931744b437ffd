import type { Millis } from '../../runtime/clock.ts';
import { type CallStart, START_MARGIN_MS } from '../contact.ts';
import { isAfter } from './delivery.ts';

/** How far to go back from the first fragment that arrives, by attempt. */
const REWINDS_MS: readonly Millis[] = [START_MARGIN_MS, 60_000];
/** A call that begins this much earlier than StartTimestamp has a producer whose clock is behind: more may come before. */
const EARLY_MS: Millis = START_MARGIN_MS / 2;
/** A call's first audio may come this much later than Connect's StartTimestamp without anything being lost. */
const MISSED_FROM_MS: Millis = 2000;

/** The first fragment whose audio is forwarded. */
interface FirstFragment {
  readonly number: string | undefined;
  readonly producerEpochMs: number | undefined;
  readonly segmentUid: string | undefined;
}

/**
 * Makes sure that the first fragment of a call is not skipped, whichever way StartFragmentNumber is interpreted.
 * Nothing of the call can come before a connection's first fragment if that one is not later than the number, or
 * another contact's. Otherwise the stream is read again from an earlier time.
 */
export class CallBeginning {
  readonly #start: CallStart;
  #askedMs: Millis | undefined;
  #rewinds = 0;
  /** Whether the connection began at the fragment number instead of that time. */
  isByNumber = false;
  /** Whether nothing of the call comes before what this connection brings. */
  #isWhole = false;
  /** Withheld fragments without a ContactId that may be the call's first ones, by number. */
  readonly #withheld = new Map<string, { readonly segmentUid: string | undefined; readonly ms: Millis }>();

  constructor(start: CallStart) {
    this.#start = start;
    this.#askedMs = start.atEpochMs;
  }

  /** A fragment of any owner has this number. */
  noteNumber(fragmentNumber: string): void {
    this.#isWhole ||= !isAfter(fragmentNumber, this.#start.fragmentNumber);
  }

  /** A fragment is another contact's. */
  noteOther(): void {
    this.#isWhole = true;
    this.#withheld.clear();
  }

  /** A fragment without a ContactId is withheld. From the call's number on, and in its run, it can only be the call's. */
  noteWithheld(fragmentNumber: string, segmentUid: string | undefined, ms: Millis): void {
    if (!isAfter(this.#start.fragmentNumber, fragmentNumber)) this.#withheld.set(fragmentNumber, { segmentUid, ms });
  }

  /** Where to read again, because the call may have begun before its first fragment so far; undefined if not. */
  rewindFrom(producerEpochMs: number | undefined): Millis | undefined {
    const byMs = REWINDS_MS[this.#rewinds];
    if (this.#isWhole || byMs === undefined || producerEpochMs === undefined) return undefined;
    if (this.#isAfterRequested(producerEpochMs)) return undefined;
    this.#rewinds++;
    this.#askedMs = Math.max(0, producerEpochMs - byMs);
    return this.#askedMs;
  }

  /** How much of the call is missing before its first fragment. */
  missedMs({ number, producerEpochMs, segmentUid }: FirstFragment): Millis {
    let withheldMs = 0;
    for (const [withheld, { segmentUid: uid, ms }] of this.#withheld) {
      // A connection that broke within the first fragment has withheld a part of it, which is here now.
      const isBefore = number === undefined || isAfter(number, withheld);
      if (isBefore && uid === segmentUid) withheldMs += ms;
    }
    return Math.max(withheldMs, this.#missedByTimeMs(producerEpochMs));
  }

  /** Whether everything after the requested time is here, so that nothing was skipped. */
  #isAfterRequested(producerEpochMs: number): boolean {
    if (this.#askedMs === undefined || this.isByNumber) return false;
    // Only a time that was requested again is certainly the producer's.
    return producerEpochMs - this.#askedMs > (this.#rewinds === 0 ? EARLY_MS : 0);
  }

  #missedByTimeMs(producerEpochMs: number | undefined): Millis {
    if (this.#isWhole || producerEpochMs === undefined || this.#start.atEpochMs === undefined) return 0;
    const missedMs = producerEpochMs - (this.#start.atEpochMs + START_MARGIN_MS);
    return missedMs > MISSED_FROM_MS ? missedMs : 0;
  }
}
