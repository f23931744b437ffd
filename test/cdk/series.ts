import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `record-series.ts` recorded. */
export const SERIES_DIRECTORY = join(import.meta.dirname, 'series');

/** One value as it was sent: when, in seconds from a full minute on, and what. */
export type Datum = readonly [atS: number, value: number];

/** What CloudWatch was told of a stack, metric by metric, for that many minutes. */
export interface Series {
  readonly minutes: number;
  readonly metrics: Readonly<Record<string, readonly Datum[]>>;
}

export function recordedSeries(name: string): Series {
  return JSON.parse(readFileSync(join(SERIES_DIRECTORY, `${name}.series`), 'utf8'));
}

/** A series by hand: a value a minute, in its middle; undefined: nothing was sent. */
export function minutely(values: readonly (number | undefined)[]): Datum[] {
  return values.flatMap((value, minute): Datum[] => (value === undefined ? [] : [[minute * 60 + 30, value]]));
}
