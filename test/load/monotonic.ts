/**
 * `performance.now()` begins with its process; CLOCK_MONOTONIC, which `hrtime` reads, is one for the whole machine. Of a
 * few tries the best: a process that is held up between the two would be behind the others from then on.
 */
const PROCESS_BEGAN_MS = Math.max(
  ...Array.from({ length: 10 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()),
);
const TICKS_PER_MS = 100;

/** Milliseconds, with a fraction, on a clock that all processes of this machine share. */
export function monotonicMs(): number {
  return performance.now() + PROCESS_BEGAN_MS;
}

/** A moment in 32 bits: ticks of 10 us, which come round after half a day. */
export function ticksOf(momentMs: number): number {
  return Math.floor(momentMs * TICKS_PER_MS) % 2 ** 32;
}

/** From a moment told in ticks until `nowMs`: up to six hours, to either side. */
export function msSince(ticks: number, nowMs: number): number {
  return ((ticksOf(nowMs) - ticks) | 0) / TICKS_PER_MS;
}
