import { setImmediate as turn } from 'node:timers/promises';

/** After this much CPU, all hot code is compiled. */
const WARM_UP_MS = 500;

/** User and system time of this process so far, all threads, in ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Warms up, then repeats `pass` until it has used `longEnoughMs` of CPU. Returns the CPU of one repetition in ms.
 */
export async function cpuPerPass(pass: () => Promise<void>, longEnoughMs: number): Promise<number> {
  for (const fromMs = cpuMs(); cpuMs() - fromMs < Math.min(WARM_UP_MS, longEnoughMs); ) await pass();
  const fromMs = cpuMs();
  let usedMs = 0;
  let passes = 0;
  while (usedMs < longEnoughMs) {
    await pass();
    passes++;
    usedMs = cpuMs() - fromMs;
  }
  return usedMs / passes;
}

/** Lets streams run their deferred work, which some parsers depend on. */
export async function letStreamsRun(): Promise<void> {
  await turn();
}
