import { readFileSync } from 'node:fs';

/** What Linux counts a process' CPU in, as programs see it (proc(5), USER_HZ). */
const MS_PER_TICK = 10;
/** Fields of /proc/PID/stat after the command's name, which is in parentheses (proc(5)). */
const UTIME = 11;
const STIME = 12;

/** CPU of a process so far, of all its threads, in ms; `system` is the part of `total` that the kernel took. */
export function cpuMsOf(pid: number): { readonly total: number; readonly system: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[UTIME]) * MS_PER_TICK, Number(fields[STIME]) * MS_PER_TICK];
  return { total: user + system, system };
}

/** Memory of a process that is resident now, in KiB. */
export function residentKibOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
