import { setImmediate as turn } from 'node:timers/promises';

/** What is compiled and cached after this much CPU is what stays. */
const WARM_UP_MS = 500;

/** CPU of this process so far, all of its threads, user and system, in ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Repeats a piece of work until it has used so much CPU, after a warm-up of the same work; gives the CPU of one
 * repetition in ms.
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

/** Lets streams do what they put off, which some parsers need. */
export async function letStreamsRun(): Promise<void> {
  await turn();
}
