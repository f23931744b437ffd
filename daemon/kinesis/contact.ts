import type { Millis } from '../runtime/clock.ts';

/** The last fragment received completely; a later GetMedia can resume after it without loss. */
export interface Position {
  readonly fragmentNumber: string;
  readonly continuationToken: string | undefined;
  /** When the fragment began, on the producer's clock, in epoch milliseconds. */
  readonly producerEpochMs: number | undefined;
  /** Its SegmentUID in hex: a following fragment without a ContactId is ours only with the same one. */
  readonly segmentUid?: string | undefined;
}

/** Clocks differ, and Connect's StartTimestamp need not be the time of the first fragment: reading starts this much earlier. */
export const START_MARGIN_MS: Millis = 10_000;

/**
 * The beginning of a call, before any of its fragments was received. Whether the fragment that Connect names is the
 * call's first one or the one before it is not known (daemon/kinesis/README.md, "What real streams do").
 */
export interface CallStart {
  readonly isCallStart: true;
  /** Connect's StartFragmentNumber. */
  readonly fragmentNumber: string;
  /** Where to start reading, on the producer's clock: START_MARGIN_MS before the call began, if that time is known. */
  readonly atEpochMs: Millis | undefined;
}

/** Where the reading of a call starts: at its beginning, or after a fragment. */
export type ReadingStart = Position | CallStart | { readonly fragmentNumber: string };

/** A call, as its stream identifies it. */
export interface Contact {
  readonly contactId: string;
  readonly streamArn: string;
  readonly start: ReadingStart;
}
