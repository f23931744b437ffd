import type fc from 'fast-check';
import { demuxerHolds } from './demuxer.ts';
import { filterHolds } from './filter.ts';
import { type Input, input } from './inputs.ts';
import { readerHolds, script } from './reader.ts';
import { errorOf, type Trial, tryOut } from './trial.ts';

/** An input for which something does not hold, made as small as it gets. */
export interface Finding {
  readonly target: string;
  /** The FUZZ_SEED that begins with the batch in which it was found. */
  readonly seed: number;
  readonly error: string;
  /** All of the input but its bytes. */
  readonly input: string;
  /** The input's bytes, a line for each connection. */
  readonly hex: readonly string[];
}

/** A part of the daemon under fire: inputs of its own and what must hold for each. */
interface Target {
  /** Of all inputs, the part that this target gets. */
  readonly share: number;
  readonly run: (seed: number, inputs: number, onInputs: (count: number) => void) => Promise<Finding | undefined>;
}

export const TARGETS: Readonly<Record<string, Target>> = {
  demuxer: target(
    'demuxer',
    0.35,
    input,
    async (one) => demuxerHolds(one),
    (one) => [one],
  ),
  filter: target(
    'filter',
    0.35,
    input,
    async (one) => filterHolds(one),
    (one) => [one],
  ),
  reader: target('reader', 0.3, script, readerHolds, ({ connections }) => connections),
};

/** What a person needs to see a finding again. */
export function report({ target, seed, error, input, hex }: Finding): string {
  return [`${target}: ${error}`, `again: FUZZ_SEED=${seed} npm run fuzz`, `input: ${input}`, 'hex:', ...hex].join('\n');
}

function target<T>(
  name: string,
  share: number,
  arbitrary: fc.Arbitrary<T>,
  holds: (input: T) => Promise<void>,
  bodies: (input: T) => readonly Input[],
): Target {
  return {
    share,
    async run(seed, inputs, onInputs) {
      const trial: Trial = { seed, inputs, onInputs };
      const found = await tryOut(arbitrary, holds, trial);
      if (!found) return undefined;
      const [one] = found.counterexample as [T];
      return {
        target: name,
        seed: found.seed,
        error: errorOf(found),
        input: JSON.stringify(one, (key, value) => (key === 'bytes' ? '(below)' : value)),
        hex: bodies(one).map(({ bytes }) => bytes.toString('hex')),
      };
    },
  };
}
