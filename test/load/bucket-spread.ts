import type { Scrape } from '../metrics/scrape.ts';

/**
 * How the times of a histogram in /metrics are spread, as far as its buckets tell: each is the upper bound, in ms, of the
 * bucket that it lies in; null above the last bound. All are 0 when there were none.
 */
export interface BucketSpread {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

const MS_PER_SECOND = 1000;

/** The spread of what a histogram of seconds has observed between two scrapes. */
export function spreadBetween(before: Scrape, after: Scrape, histogram: string): BucketSpread {
  const begin = `${histogram}_bucket{le="`;
  const buckets = [...after].filter(([series]) => series.startsWith(begin));
  // Each bucket counts what is below it too.
  const reached = buckets.map(([series, value]) => {
    const bound = series.slice(begin.length, series.indexOf('"', begin.length));
    const boundMs = bound === '+Inf' ? null : Math.round(Number(bound) * MS_PER_SECOND * 1000) / 1000;
    return { boundMs, count: value - (before.get(series) ?? 0) };
  });
  const count = reached.at(-1)?.count ?? 0;
  const at = (part: number) => {
    if (count === 0) return 0;
    const bucket = reached.find((each) => each.count >= Math.ceil(part * count));
    return bucket ? bucket.boundMs : null;
  };
  return { count, p50: at(0.5), p99: at(0.99), max: at(1) };
}
