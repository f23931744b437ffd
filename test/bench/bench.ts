import { type Figure, median } from './figures.ts';
import type { Options } from './options.ts';
import { type Comparison, comparisonsOf } from './plan.ts';
import { unitOf } from './stages/feeds.ts';
import { stageRound } from './stages/run.ts';
import { type WholeRound, wholeRound } from './whole/round.ts';

/** Parsing and merging run as fast as they can, so they need less time than what runs in real time. */
const SHARE_OF_TIME = 1 / 10;

interface Round {
  readonly cpuMsPerUnit: number;
  readonly checksum: number;
  readonly whole?: WholeRound;
}

/**
 * Runs all comparisons, round by round: each contender's turns are spread over the whole comparison, so that a
 * disturbance affects all of them. Throws if contenders did not do the same work.
 */
export async function bench(options: Options, say: (line: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const comparison of comparisonsOf(options)) figures.push(...(await compare(comparison, options, say)));
  return figures;
}

async function compare(comparison: Comparison, options: Options, say: (line: string) => void): Promise<Figure[]> {
  const { stage, feed, contenders } = comparison;
  const rounds = new Map<string, Round[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < options.rounds; round++) {
    // Every other round is reversed, so that no contender always follows the same one.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const done = await once(comparison, contender, options);
      rounds.get(contender)?.push(done);
      say(`${stage}, ${feed}, ${contender}: ${done.cpuMsPerUnit.toFixed(4)} ms`);
    }
  }
  const checksums = new Set([...rounds.values()].flat().map(({ checksum }) => checksum));
  if (checksums.size > 1) {
    throw new Error(`${stage}, ${feed}: ${contenders.join(', ')} produced different audio`);
  }
  return [...rounds].map(([contender, each]) => {
    const cpu = each.map(({ cpuMsPerUnit }) => cpuMsPerUnit);
    const figure = { stage, feed, contender, unit: unitOf(feed), cpuMs: median(cpu), rounds: cpu };
    const whole = each.flatMap((round) => round.whole ?? []);
    return whole.length > 0 ? { ...figure, whole } : figure;
  });
}

async function once({ stage, feed, chunkMs }: Comparison, contender: string, options: Options): Promise<Round> {
  const { calls, seconds, profile } = options;
  const nodeOptions = profile ? `--cpu-prof --cpu-prof-dir=${JSON.stringify(profile)}` : '';
  if (stage !== 'whole') {
    const cpuMs = seconds * 1000 * SHARE_OF_TIME;
    return stageRound({ stage, contender, feed, calls, seconds, cpuMs }, nodeOptions);
  }
  const whole = await wholeRound({ contender, chunkMs: chunkMs as number, calls, seconds, nodeOptions });
  // Calls end at a different moment in each round, and have been compared with what was sent.
  return { cpuMsPerUnit: whole.cpuMsPerUnit, checksum: 0, whole };
}
