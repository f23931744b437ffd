import type { Options, Stage } from './options.ts';
import { STAGE_CONTENDERS } from './stages/run.ts';
import { CONTENDERS } from './whole/contenders.ts';

/** The same work, done by several contenders. */
export interface Comparison {
  readonly stage: Stage;
  readonly feed: string;
  /** Only in the whole. */
  readonly chunkMs: number | undefined;
  readonly contenders: readonly string[];
}

/** Every name that --contenders accepts. */
export const ALL_CONTENDERS: readonly string[] = [
  ...new Set([...Object.keys(CONTENDERS), ...Object.values(STAGE_CONTENDERS).flatMap(({ contenders }) => contenders)]),
];

export function comparisonsOf({ only, chunkMs, contenders: chosen }: Options): Comparison[] {
  const of = (names: readonly string[]) => names.filter((name) => chosen.length === 0 || chosen.includes(name));
  const comparisons = only.flatMap((stage): Comparison[] => {
    if (stage === 'whole') {
      const contenders = of(Object.keys(CONTENDERS));
      return chunkMs.map((each) => ({ stage, feed: `chunks of ${each} ms`, chunkMs: each, contenders }));
    }
    const { feeds, contenders } = STAGE_CONTENDERS[stage];
    return feeds.map((feed) => ({ stage, feed, chunkMs: undefined, contenders: of(contenders) }));
  });
  return comparisons.filter(({ contenders }) => contenders.length > 0);
}
