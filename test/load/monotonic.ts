/**
 * When this process started, on CLOCK_MONOTONIC, which `hrtime` reads and all processes share. The best of a few tries,
 * because a delay between the two readings would shift all later times.
 */
const PROCESS_BEGAN_MS = Math.max(
  ...Array.from({ length: 10 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()),
);
const TICKS_PER_MS = 100;

/** Fractional milliseconds on a clock that all processes of this machine share. */
export function monotonicMs(): number {
  return performance.now() + PROCESS_BEGAN_MS;
}

/** A time in 32 bits: ticks of 10 us, which wrap around after half a day. */
export function ticksOf(momentMs: number): number {
  return Math.floor(momentMs * TICKS_PER_MS) % 2 ** 32;
}

/** Time from a moment in ticks to `nowMs`, within six hours in either direction. */
export function msSince(ticks: number, nowMs: number): number {
  return ((ticksOf(nowMs) - ticks) | 0) / TICKS_PER_MS;
}
