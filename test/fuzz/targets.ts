import { setImmediate as turn } from 'node:timers/promises';
import type fc from 'fast-check';
import { CHANGES, SHAPE_NAMES, streamOf, tryChanges } from './byte-changes.ts';
import { demuxerHolds } from './demuxer.ts';
import { filterHolds } from './filter.ts';
import { type Input, input } from './inputs.ts';
import { readerHolds, script } from './reader.ts';
import { errorOf, type Trial, tryOut } from './trial.ts';

/** An input that violates a property, shrunk. */
export interface Finding {
  readonly target: string;
  /** The FUZZ_SEED that starts with the batch of the finding. */
  readonly seed: number;
  readonly error: string;
  /** The input without its bytes. */
  readonly input: string;
  /** The input's bytes, one line per connection. */
  readonly hex: readonly string[];
}

/** A part of the daemon to fuzz. */
interface Target {
  /** Its share of all inputs, and how many there are at most. */
  readonly share: number;
  readonly most?: number;
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
  changes: { share: 25, most: CHANGES, run: changes },
  reader: target('reader', 0.3, script, readerHolds, ({ connections }) => connections),
};

/** Positions of a stream between two reports of progress. */
const POSITIONS_AT_ONCE = 100;

/** Every change of a byte, and every removal of a few, in real-shaped streams; a part of them when there are fewer inputs. */
async function changes(seed: number, inputs: number, onInputs: (count: number) => void): Promise<Finding | undefined> {
  const of = Math.max(1, Math.floor(CHANGES / inputs));
  for (const shape of SHAPE_NAMES) {
    const { length } = streamOf(shape);
    for (let from = 0; from < length; from += POSITIONS_AT_ONCE) {
      const { tried, leak } = tryChanges({ shape, from, to: from + POSITIONS_AT_ONCE, part: seed % of, of });
      onInputs(tried);
      if (leak) return { target: 'changes', seed, error: leak, input: shape, hex: [streamOf(shape).toString('hex')] };
      await turn();
    }
  }
  return undefined;
}

/** What is needed to reproduce a finding. */
export function report({ target, seed, error, input, hex }: Finding): string {
  return [`${target}: ${error}`, `reproduce: FUZZ_SEED=${seed} npm run fuzz`, `input: ${input}`, 'hex:', ...hex].join(
    '\n',
  );
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
