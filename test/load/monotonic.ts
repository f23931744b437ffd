/** `performance.now()` begins with its process; CLOCK_MONOTONIC, which `hrtime` reads, is one for the whole machine. */
const PROCESS_BEGAN_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();
const TICKS_PER_MS = 100;

/** Milliseconds, with a fraction, on a clock that all processes of this machine share. */
export function monotonicMs(): number {
  return performance.now() + PROCESS_BEGAN_MS;
}

/** A moment in 32 bits: ticks of 10 us, which come round after half a day. */
export function ticksOf(momentMs: number): number {
  return Math.floor(momentMs * TICKS_PER_MS) % 2 ** 32;
}

/** From a moment told in ticks until `nowMs`; at most half a day. */
export function msSince(ticks: number, nowMs: number): number {
  return ((ticksOf(nowMs) - ticks) >>> 0) / TICKS_PER_MS;
}
