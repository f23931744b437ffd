/** A thread's file of undelivered events: THREAD.PROCESS.spool, or THREAD.spool from an earlier version. */
const SPOOL_SUFFIX = '.spool';
/** A thread's file that a failing disk left behind: sessions have numbered events that it does not have. */
const STALE_SUFFIX = '.stale';
/** A file of an ended thread of this process that recovery could not replace: the next process does. */
const LEFT_SUFFIX = '.left';
/** A session's own file: what recovery found of it, until a thread takes it into its spool. */
const SESSION_SUFFIX = '.session';
/** A file that is being written, and replaces another one then. */
const UNFINISHED_SUFFIX = '.new';
/** A file that no key opens, for an operator who finds the key. */
const UNREADABLE_SUFFIX = '.unreadable';
/** An empty file: numbers were used that no file has. */
const BEHIND_SUFFIX = '.behind';

const SPOOL = /\.spool(\.stale)?(\.left)?$/;
const SESSION_MARK = /^(?<sessionId>.+)\.(?<epoch>\d+)\.behind$/;

/** @param process names the process: no other one, before or after it, may write to a file of this name */
export function spoolName(thread: string, process: string): string {
  return `${thread}.${process}${SPOOL_SUFFIX}`;
}

export function isSpool(name: string): boolean {
  return SPOOL.test(name);
}

export function staleName(spool: string): string {
  return `${spool}${STALE_SUFFIX}`;
}

export function isStale(name: string): boolean {
  return name.endsWith(STALE_SUFFIX) || name.endsWith(`${STALE_SUFFIX}${LEFT_SUFFIX}`);
}

/** True for a file that no running thread of the process writes, as far as its name says. */
export function isLeft(name: string, process: string): boolean {
  return isSpool(name) && (name.endsWith(LEFT_SUFFIX) || !name.includes(`.${process}${SPOOL_SUFFIX}`));
}

/** Sorts by the time of its start; empty for files without a process in their name. */
export function processOf(spool: string): string {
  return /\.([^.]+)\.spool/.exec(spool)?.[1] ?? '';
}

export function leftName(spool: string): string {
  return `${spool}${LEFT_SUFFIX}`;
}

export function sessionName(sessionId: string): string {
  return `${sessionId}${SESSION_SUFFIX}`;
}

export function unfinishedName(name: string): string {
  return `${name}${UNFINISHED_SUFFIX}`;
}

export function isUnfinished(name: string): boolean {
  return name.endsWith(UNFINISHED_SUFFIX);
}

export function unreadableName(name: string): string {
  return `${name}${UNREADABLE_SUFFIX}`;
}

/** Marks a spool that can be neither written nor renamed. */
export function spoolMark(spool: string): string {
  return `${spool}${BEHIND_SUFFIX}`;
}

/** Marks a session whose numbers of the epoch may be in no file. */
export function sessionMark(sessionId: string, epoch: number): string {
  return `${sessionId}.${epoch}${BEHIND_SUFFIX}`;
}

export function epochOfMark(name: string): number {
  return Number(SESSION_MARK.exec(name)?.groups?.['epoch'] ?? 0);
}

/** The session that a file or a mark is about; undefined for those of threads. */
export function sessionIdOf(name: string): string | undefined {
  if (name.endsWith(SESSION_SUFFIX)) return name.slice(0, -SESSION_SUFFIX.length);
  return SESSION_MARK.exec(name)?.groups?.['sessionId'];
}
