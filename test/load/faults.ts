export const FAULT_KINDS = ['kinesis', 'deepgram', 'fragment'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One thing that is to go wrong. */
export interface PlannedFault {
  readonly call: number;
  /** A connection to Kinesis or to Deepgram breaks off, or the stream loses a fragment. */
  readonly of: FaultKind;
  /** The connection is ended by the protocol's own means; else it breaks. Of a fragment it says nothing. */
  readonly properly: boolean;
  /** From the beginning of the measuring. */
  readonly afterMs: number;
}

/** Each kind befalls a tenth of the calls. */
const SHARE = 0.1;
/** What breaks at the very end tells no more than one that breaks before. */
const LATEST = 0.9;

/** Which of `calls` calls break when, in `durationMs`; the same for the same seed. */
export function planFaults(calls: number, durationMs: number, seed: number): PlannedFault[] {
  const random = randomFrom(seed);
  const count = Math.ceil(calls * SHARE);
  return FAULT_KINDS.flatMap((of) =>
    Array.from({ length: count }, () => ({
      call: Math.floor(random() * calls),
      of,
      properly: random() < 0.5,
      afterMs: random() * LATEST * durationMs,
    })),
  );
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
