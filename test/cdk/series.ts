import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Recorded by `record-series.ts`. */
export const SERIES_DIRECTORY = join(import.meta.dirname, 'series');

/** A value as it was sent, with its time in seconds from a full minute on. */
export type Datum = readonly [atS: number, value: number];

/** The metrics that CloudWatch received about a stack, over that many minutes. */
export interface Series {
  readonly minutes: number;
  readonly metrics: Readonly<Record<string, readonly Datum[]>>;
}

export function recordedSeries(name: string): Series {
  return JSON.parse(readFileSync(join(SERIES_DIRECTORY, `${name}.series`), 'utf8'));
}

/** A series by hand: a value in the middle of each minute; undefined if nothing was sent. */
export function minutely(values: readonly (number | undefined)[]): Datum[] {
  return values.flatMap((value, minute): Datum[] => (value === undefined ? [] : [[minute * 60 + 30, value]]));
}
