import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The exit of a process that is not our child raises no event, so it is polled for. */
const LOOK_EVERY_MS = 50;

interface Process {
  readonly pid: number;
  readonly commandLine: string;
}

/** The running children of a process, from /proc. */
export function childrenOf(parent: number): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent)
    .map((pid) => ({ pid, commandLine: commandLineOf(pid) }));
}

/** Whether there is such a process. */
function isRunning({ pid, commandLine }: Process): boolean {
  return parentOf(pid) !== undefined && commandLineOf(pid) === commandLine;
}

/** Resolves once all of these processes have exited. */
export async function allGone(processes: readonly Process[]): Promise<void> {
  while (processes.some(isRunning)) await delay(LOOK_EVERY_MS);
}

function parentOf(pid: number): number | undefined {
  return Number(/^PPid:\s*(\d+)$/m.exec(read(pid, 'status'))?.[1] ?? Number.NaN) || undefined;
}

function commandLineOf(pid: number): string {
  return read(pid, 'cmdline').replaceAll('\0', ' ').trim();
}

/** Empty if the process has exited, which may happen at any time. */
function read(pid: number, file: 'status' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
