import type { Batch, SinkName } from '../sink.ts';

/** A batch that was given up, for this sink. */
export interface DeadLetter {
  readonly sink: SinkName;
  readonly batch: Batch;
}

/** Where given-up batches are kept, sealed, until an operator has them delivered again. */
export interface DeadLetters {
  /** True when it is kept; false when that failed and should be tried again. Never rejects. */
  put(letter: DeadLetter): Promise<boolean>;
}
