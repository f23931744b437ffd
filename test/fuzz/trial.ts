import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';

/** Inputs that share a seed: few, so that a finding is found again quickly. */
const BATCH_INPUTS = 10;
/** An input that takes longer hangs. */
const LONGEST_INPUT_MS = 30_000;
/** How long a finding is shrunk; ten inputs take less. */
const LONGEST_BATCH_MS = 60_000;

/** Which inputs are tried. */
export interface Trial {
  /** The first batch of inputs follows from it, the next from the next number, and so on. */
  readonly seed: number;
  readonly inputs: number;
  readonly onInputs?: (count: number) => void;
}

/** Tries what must hold on random inputs; returns the first failure, shrunk, with the seed of its batch. */
export async function tryOut<Input>(
  arbitrary: fc.Arbitrary<Input>,
  holds: (input: Input) => Promise<void>,
  { seed, inputs, onInputs }: Trial,
): Promise<fc.RunDetails<[Input]> | undefined> {
  const property = fc.asyncProperty(arbitrary, async (input) => {
    // Lets timers that report progress run.
    await turn();
    await holds(input);
  });
  for (let batch = 0; batch * BATCH_INPUTS < inputs; batch++) {
    const result = await fc.check(property, {
      seed: seed + batch,
      numRuns: Math.min(BATCH_INPUTS, inputs - batch * BATCH_INPUTS),
      timeout: LONGEST_INPUT_MS,
      interruptAfterTimeLimit: LONGEST_BATCH_MS,
    });
    onInputs?.(result.numRuns);
    if (result.failed) return result;
  }
  return undefined;
}

/** The error of a finding, in its own words. */
export function errorOf({ errorInstance }: { readonly errorInstance: unknown }): string {
  return errorInstance instanceof Error ? String(errorInstance.stack) : String(errorInstance);
}
