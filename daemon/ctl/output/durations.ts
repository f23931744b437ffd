import { InvalidArgumentError } from 'commander';
import type { Millis } from '../../runtime/clock.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNITS_MS: Readonly<Record<string, Millis>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};

const PART = /(\d+)(ms|s|m|h|d)/g;
const DURATION = /^(\d+(ms|s|m|h|d))+$/;

/** A duration in at most two units, for a column: 12ms, 4.5s, 12m04s, 1h02m, 2d03h. */
export function durationText(ms: Millis): string {
  if (ms < SECOND_MS) return `${Math.round(ms)}ms`;
  // Rounded down: 59.96 s must not show as 60.0s.
  if (ms < MINUTE_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  if (ms < HOUR_MS) return twoUnits(ms, MINUTE_MS, 'm', SECOND_MS, 's');
  if (ms < DAY_MS) return twoUnits(ms, HOUR_MS, 'h', MINUTE_MS, 'm');
  return twoUnits(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(ms: Millis, bigMs: Millis, big: string, smallMs: Millis, small: string): string {
  const rest = String(Math.floor((ms % bigMs) / smallMs)).padStart(2, '0');
  return `${Math.floor(ms / bigMs)}${big}${rest}${small}`;
}

/** A parser of 90s, 1h, 1h30m. It throws InvalidArgumentError, which commander reports. */
export function durationUpTo(longestMs: Millis, { shortestMs = 0 } = {}): (text: string) => Millis {
  return (text) => {
    const ms = millisOf(text);
    if (ms < shortestMs) throw new InvalidArgumentError(`It must be at least ${shortestMs}ms.`);
    if (ms > longestMs) throw new InvalidArgumentError(`It must be at most ${longestMs / HOUR_MS}h.`);
    return ms;
  };
}

function millisOf(text: string): Millis {
  if (!DURATION.test(text)) throw new InvalidArgumentError('It must be a duration with a unit, such as 90s or 1h30m.');
  const parts = [...text.matchAll(PART)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit ?? ''] ?? Number.NaN), 0);
}
