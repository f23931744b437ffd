import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, the unit of CPU time in /proc: 100 on every Linux that Node supports. */
const TICK_MS = 10;
/** proc(5): indices of fields in /proc/PID/stat, counted from the one after the name. */
const UTIME = 11;
const STIME = 12;

/** User and system time of a process since its start, in total and per running thread. */
export interface CpuTimes {
  readonly totalMs: number;
  /** The part of it spent in the kernel. */
  readonly systemMs: number;
  readonly threads: ReadonlyMap<string, ThreadTime>;
}
export interface ThreadTime {
  readonly name: string;
  readonly cpuMs: number;
}

/** Reads the CPU time of a process from /proc. Throws if there is no such process. */
export function cpuTimesOf(pid: number): CpuTimes {
  const threads = new Map<string, ThreadTime>();
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const thread = threadTime(`/proc/${pid}/task/${id}/stat`);
    if (thread) threads.set(id, thread);
  }
  const { cpuMs, systemMs } = timeIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return { totalMs: cpuMs, systemMs, threads };
}

/** CPU that threads used between two readings, the busiest first; idle threads are omitted. */
export function threadsBetween(before: CpuTimes, after: CpuTimes): ThreadTime[] {
  return [...after.threads]
    .map(([id, { name, cpuMs }]) => ({ name, cpuMs: cpuMs - (before.threads.get(id)?.cpuMs ?? 0) }))
    .filter(({ cpuMs }) => cpuMs > 0)
    .sort((one, other) => other.cpuMs - one.cpuMs);
}

/** CPU time of this machine since boot, all cores, without idle and stolen time. */
export function machineCpuMs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .slice('cpu '.length, 200)
    .trim()
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}

/** Resident memory of a process in bytes. */
export function rssOf(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kib) * 1024;
}

/** Undefined if the thread has ended since the directory was read. */
function threadTime(path: string): ThreadTime | undefined {
  try {
    return timeIn(readFileSync(path, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function timeIn(stat: string): ThreadTime & { systemMs: number } {
  const nameEnd = stat.lastIndexOf(')');
  const fields = stat.slice(nameEnd + 2).split(' ');
  const systemMs = Number(fields[STIME]) * TICK_MS;
  const cpuMs = Number(fields[UTIME]) * TICK_MS + systemMs;
  return { name: stat.slice(stat.indexOf('(') + 1, nameEnd), cpuMs, systemMs };
}
