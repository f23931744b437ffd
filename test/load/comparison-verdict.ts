import { FIGURE_NAMES, type Figure, failedTurns, middleOf, type SideTurns } from './turns.ts';

/** The relay may cost this much more CPU than a callback does. */
const MOST_RELAY_CPU = 1.25;
const MOST_DELIVERY_P99_MS = 500;
/** Lag counts as unchanged within this share, or within the spread of the side that it is compared with. */
const UNCHANGED_LAG = 0.1;
/** Another version may be worse by less than this, and by less than the old one's own spread. */
const UNCHANGED = 0.05;
const MOST_MORE_RSS_KIB = 20;

/** What is wrong with the relay, which is the second side, compared with a callback, the first one. */
export function relayFaults(sides: readonly SideTurns[]): string[] {
  const [callback, relay] = sides as [SideTurns, SideTurns];
  const cpu = worse(callback, relay, 'cpuMsPerCallSecond');
  const deliveryP99 = middleOf(relay, 'deliveryP99')?.median;
  return [
    ...failedTurns(sides),
    ...(cpu.ratio > MOST_RELAY_CPU
      ? [`CPU is ${cpu.ratio.toFixed(3)} times that of a callback, at most 1.25 allowed`]
      : []),
    ...(['lagP50', 'lagP99'] as const).flatMap((figure) => {
      const { by, ratio, spread } = worse(callback, relay, figure);
      return by > spread && ratio > 1 + UNCHANGED_LAG
        ? [`${FIGURE_NAMES[figure]}: ${percent(ratio)} of that with a callback`]
        : [];
    }),
    ...(deliveryP99 === undefined ? ['no result was delivered'] : []),
    ...((deliveryP99 ?? 0) >= MOST_DELIVERY_P99_MS
      ? [`delivery p99 is ${deliveryP99} ms, less than ${MOST_DELIVERY_P99_MS} ms required`]
      : []),
  ];
}

/** What is worse with the new daemon, the second side, than with the old one. */
export function versionFaults(sides: readonly SideTurns[]): string[] {
  const [old, latest] = sides as [SideTurns, SideTurns];
  const rss = worse(old, latest, 'rssKibPerCall');
  return [
    ...failedTurns(sides),
    ...(['cpuMsPerCallSecond', 'lagP50', 'lagP99'] as const).flatMap((figure) => {
      const { by, ratio, spread } = worse(old, latest, figure);
      if (by <= 0) return [];
      return [
        ...(by >= spread
          ? [`${FIGURE_NAMES[figure]}: ${by.toFixed(3)} more, and the old one's spread is ${spread.toFixed(3)}`]
          : []),
        ...(ratio >= 1 + UNCHANGED ? [`${FIGURE_NAMES[figure]}: ${percent(ratio)} of the old one's`] : []),
      ];
    }),
    ...(rss.by > MOST_MORE_RSS_KIB
      ? [`${FIGURE_NAMES.rssKibPerCall}: ${rss.by.toFixed(1)} more, at most ${MOST_MORE_RSS_KIB} allowed`]
      : []),
  ];
}

/** How much larger a side's median is, and how far the runs of the first one are apart. */
function worse(first: SideTurns, second: SideTurns, figure: Figure): { by: number; ratio: number; spread: number } {
  const base = middleOf(first, figure);
  const other = middleOf(second, figure);
  if (!base || !other) throw new Error(`no run has ${figure}`);
  const by = other.median - base.median;
  return { by, ratio: other.median / base.median, spread: base.most - base.least };
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
