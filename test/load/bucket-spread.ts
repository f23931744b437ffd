import type { Scrape } from '../metrics/scrape.ts';

/**
 * A histogram in /metrics in ms: its mean, which is exact, and percentiles as upper bounds of their buckets; null above
 * the last bucket. All are 0 if there are no observations.
 */
export interface BucketSpread {
  readonly count: number;
  readonly mean: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

const MS_PER_SECOND = 1000;

/** Percentiles of what a histogram of seconds observed between two scrapes. */
export function spreadBetween(before: Scrape, after: Scrape, histogram: string): BucketSpread {
  const begin = `${histogram}_bucket{le="`;
  const buckets = [...after].filter(([series]) => series.startsWith(begin));
  // Buckets are cumulative.
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
  const sum = (after.get(`${histogram}_sum`) ?? 0) - (before.get(`${histogram}_sum`) ?? 0);
  const mean = count === 0 ? 0 : (sum * MS_PER_SECOND) / count;
  return { count, mean, p50: at(0.5), p99: at(0.99), max: at(1) };
}
