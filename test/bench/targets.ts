import type { Figure, Target } from './figures.ts';
import type { Stage } from './options.ts';
import { LIVE_FEED } from './stages/feeds.ts';
import { FLOOR, OURS } from './whole/contenders.ts';

/** Upper bounds for our CPU as a share of another contender's. */
const TARGETS: readonly { stage: Stage; feed: string; other: string; atMost: number }[] = [
  { stage: 'demux', feed: LIVE_FEED, other: 'ebml-stream', atMost: 1 / 10 },
  { stage: 'demux', feed: LIVE_FEED, other: 'ebml', atMost: 1 / 50 },
  { stage: 'whole', feed: 'chunks of 64 ms', other: FLOOR, atMost: 0.8 },
];

export function targetsIn(figures: readonly Figure[]): Target[] {
  return TARGETS.flatMap(({ stage, feed, other, atMost }) => {
    const of = (contender: string) =>
      figures.find((figure) => figure.stage === stage && figure.feed === feed && figure.contender === contender);
    const [ours, theirs] = [of(OURS), of(other)];
    if (!ours || !theirs) return [];
    const value = ours.cpuMs / theirs.cpuMs;
    return [{ name: `${stage}, ${feed}: of what ${other} needs`, atMost, value, met: value <= atMost }];
  });
}
