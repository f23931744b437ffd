import { randomFrom } from '../support/random.ts';

const FAULT_KINDS = ['kinesis', 'deepgram', 'fragment'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A fault to inject. */
export interface PlannedFault {
  readonly call: number;
  /** A connection to Kinesis or Deepgram breaks, or the stream loses a fragment. */
  readonly of: FaultKind;
  /** The connection is closed by the protocol instead of breaking. No meaning for a fragment. */
  readonly properly: boolean;
  /** Relative to the start of the measurement. */
  readonly afterMs: number;
}

/** Share of calls that each kind affects. */
const SHARE = 0.1;
/** No faults at the very end, where there would be no time to recover. */
const LATEST = 0.9;

/** Plans the faults of `calls` calls over `durationMs`; the same for the same seed. */
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
