import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';

/** Inputs that share a seed: few, so that all lanes have work to the end. */
const BATCH_INPUTS = 10;
/** What takes longer hangs: the longest wait of a reader that backs off from its retries is a few seconds. */
const LONGEST_INPUT_MS = 30_000;

/** A finding that is not at its smallest after so long is shown as small as it is by then; ten inputs take less. */
const LONGEST_BATCH_MS = 60_000;

/** Which inputs are tried, and how many at a time. */
export interface Trial {
  /** The first batch of inputs follows from it, the next from the next number, and so on. */
  readonly seed: number;
  readonly inputs: number;
  /** Batches at the same time: pays where an input mostly waits. */
  readonly lanes: number;
  readonly onInputs?: (count: number) => void;
}

/** Tries what must hold on random inputs; gives the first one for which it does not, shrunk, with the seed of its batch. */
export async function tryOut<Input>(
  arbitrary: fc.Arbitrary<Input>,
  holds: (input: Input) => Promise<void>,
  { seed, inputs, lanes, onInputs }: Trial,
): Promise<fc.RunDetails<[Input]> | undefined> {
  const batches = Math.ceil(inputs / BATCH_INPUTS);
  let batch = 0;
  let found: fc.RunDetails<[Input]> | undefined;
  const property = fc.asyncProperty(arbitrary, async (input) => {
    // Lets timers and the other lanes have their turn, though an input may need none.
    await turn();
    // One finding is enough: what the other lanes are trying, or shrinking, ends here.
    if (!found) await holds(input);
  });
  const lane = async () => {
    while (batch < batches && !found) {
      const nth = batch++;
      const numRuns = Math.min(BATCH_INPUTS, inputs - nth * BATCH_INPUTS);
      const result = await fc.check(property, {
        seed: seed + nth,
        numRuns,
        timeout: LONGEST_INPUT_MS,
        interruptAfterTimeLimit: LONGEST_BATCH_MS,
      });
      onInputs?.(result.numRuns);
      if (result.failed) found ??= result;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return found;
}

/** The error of a finding, in its own words. */
export function errorOf({ errorInstance }: { readonly errorInstance: unknown }): string {
  return errorInstance instanceof Error ? String(errorInstance.stack) : String(errorInstance);
}
