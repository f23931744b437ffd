import type { Report } from './report.ts';

/** What a run says for a comparison. Times are ms, memory is KiB. */
export interface TurnFigures {
  readonly cpuMsPerCallSecond: number;
  readonly lagP50: number;
  readonly lagP99: number;
  readonly rssKibPerCall: number;
  /** With results. */
  readonly deliveryP50: number | undefined;
  readonly deliveryP99: number | undefined;
  /** Why the run itself failed. */
  readonly failures: readonly string[];
}

/** The figures that a comparison shows, in its order. */
export const FIGURES = [
  'cpuMsPerCallSecond',
  'lagP50',
  'lagP99',
  'rssKibPerCall',
  'deliveryP50',
  'deliveryP99',
] as const satisfies readonly (keyof TurnFigures)[];
export type Figure = (typeof FIGURES)[number];

/** With their units. */
export const FIGURE_NAMES: Readonly<Record<Figure, string>> = {
  cpuMsPerCallSecond: 'CPU per s of call, ms',
  lagP50: 'lag p50, ms',
  lagP99: 'lag p99, ms',
  rssKibPerCall: 'memory per call, KiB',
  deliveryP50: 'delivery p50, ms',
  deliveryP99: 'delivery p99, ms',
};
/** A side's runs, in order. */
export interface SideTurns {
  readonly name: string;
  readonly turns: readonly TurnFigures[];
}

/** The middle of several runs, and how far they are apart. */
export interface Middle {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The figures of a run, from its last stage. */
export function turnFigures({ stages, verdict }: Report): TurnFigures {
  const { daemon, lagMs, results } = stages.at(-1) as Report['stages'][number];
  const delivery = results && results.deliveryMs.count > 0 ? results.deliveryMs : undefined;
  return {
    cpuMsPerCallSecond: daemon.cpuMsPerCallSecond,
    lagP50: lagMs.p50,
    lagP99: lagMs.p99,
    rssKibPerCall: daemon.rssKibPerCall,
    deliveryP50: delivery?.p50,
    deliveryP99: delivery?.p99,
    failures: verdict.failures,
  };
}

/** The middle of a side's runs; undefined if they have no such figure. */
export function middleOf({ turns }: SideTurns, figure: Figure): Middle | undefined {
  const values = turns.flatMap((turn) => turn[figure] ?? []).sort((one, other) => one - other);
  if (values.length === 0) return undefined;
  const at = (index: number) => values[index] as number;
  const half = values.length / 2;
  const median = (at(Math.ceil(half) - 1) + at(Math.floor(half))) / 2;
  return { median, least: at(0), most: at(values.length - 1) };
}

/** Why runs failed by themselves. */
export function failedTurns(sides: readonly SideTurns[]): string[] {
  return sides.flatMap(({ name, turns }) =>
    turns.flatMap(({ failures }, index) => failures.map((failure) => `round ${index + 1}, ${name}: ${failure}`)),
  );
}
