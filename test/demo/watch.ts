import { setInterval, setTimeout } from 'node:timers/promises';
import type { Line, Program } from '../support/process.ts';
import type { CallBook } from './call-book.ts';
import { sessionsAt } from './control.ts';
import type { DaemonProcess } from './daemon-process.ts';
import { linesOf } from './follow.ts';

/** Fast enough for a human reader. */
const POLL_EVERY_MS = 1000;
/** The socket of a killed process closes shortly before its exit is known. */
const DEATH_IS_KNOWN_WITHIN_MS = 2000;

/** Updates the book from integratord's log, until it exits. */
export async function watchLog(daemon: Program, book: CallBook): Promise<void> {
  for await (const line of linesOf(daemon)) takeLogLine(line, book);
}

/**
 * Updates the book from integratord's control socket, until `signal`. Throws DemoFailed; if the daemon has exited, not
 * before its exit is known.
 */
export async function watchSessions(
  socketPath: string,
  book: CallBook,
  daemon: DaemonProcess,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of setInterval(POLL_EVERY_MS, undefined, { signal })) {
      const { program } = daemon;
      if (!daemon.isUp) continue;
      try {
        book.polled(await sessionsAt(socketPath, signal));
      } catch (error) {
        // It was killed on purpose while it was being asked.
        if (daemon.isUp && daemon.program === program) throw error;
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    await Promise.race([daemon.program.exited, setTimeout(DEATH_IS_KNOWN_WITHIN_MS, undefined, { ref: false })]);
    throw error;
  }
}

function takeLogLine(line: Line, book: CallBook): void {
  const contactId = line['contactId'];
  if (typeof contactId !== 'string') return;
  if (line['event'] === 'session.started') book.started(contactId, Date.parse(String(line['time'])));
  if (line['event'] === 'session.ended') book.ended(contactId, endIn(line));
}

function endIn(line: Line) {
  return {
    atMs: Date.parse(String(line['time'])),
    outcome: String(line['outcome']),
    audioMs: Number(line['audioMs']),
    worstLagMs: Number(line['worstLagMs']),
    gapMs: Number(line['gapMs']),
    error: typeof line['error'] === 'string' ? line['error'] : undefined,
  };
}
