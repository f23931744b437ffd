import { setInterval, setTimeout } from 'node:timers/promises';
import type { Line, Program } from '../support/process.ts';
import type { CallBook } from './call-book.ts';
import { sessionsAt } from './control.ts';
import { linesOf } from './follow.ts';
import { resultInLog, resultInMessage } from './results.ts';

/** As often as a person may want to see a figure change. */
const POLL_EVERY_MS = 1000;
/** A process that is killed closes its socket a moment before its end is told. */
const DEATH_IS_KNOWN_WITHIN_MS = 2000;

/** Enters into the book what integratord logs, until it ends. */
export async function watchLog(daemon: Program, book: CallBook): Promise<void> {
  for await (const line of linesOf(daemon)) takeLogLine(line, book);
}

/**
 * Enters into the book what integratord's control socket tells, until `signal`. Throws DemoFailed, and not before the
 * daemon's own end is known when that is why nobody answers.
 */
export async function watchSessions(
  socketPath: string,
  book: CallBook,
  daemon: Program,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of setInterval(POLL_EVERY_MS, undefined, { signal })) {
      book.polled(await sessionsAt(socketPath, signal));
    }
  } catch (error) {
    if (signal.aborted) return;
    await Promise.race([daemon.exited, setTimeout(DEATH_IS_KNOWN_WITHIN_MS, undefined, { ref: false })]);
    throw error;
  }
}

/** Enters a message that Deepgram posted to the callback into the book. */
export function takeMessage(contactId: string, message: unknown, book: CallBook): void {
  const result = resultInMessage(message);
  if (result) book.result(contactId, result);
  else if (isLastMessage(message)) book.allResultsCame(contactId);
}

function takeLogLine(line: Line, book: CallBook): void {
  const contactId = line['contactId'];
  if (typeof contactId !== 'string') return;
  if (line['event'] === 'session.started') book.started(contactId, Number(line['time']));
  if (line['event'] === 'deepgram.result') {
    const result = resultInLog(line);
    if (result) book.result(contactId, result);
  }
  // Without a callback Deepgram's last message, its Metadata, comes this way.
  if (line['event'] === 'deepgram.message' && isLastMessage(line)) book.allResultsCame(contactId);
  if (line['event'] === 'session.ended') book.ended(contactId, endIn(line));
}

function endIn(line: Line) {
  return {
    atMs: Number(line['time']),
    outcome: String(line['outcome']),
    audioMs: Number(line['audioMs']),
    worstLagMs: Number(line['worstLagMs']),
    holeMs: Number(line['holeMs']),
    error: typeof line['error'] === 'string' ? line['error'] : undefined,
  };
}

/** daemon/deepgram/README.md: Metadata is the last message of a stream. */
function isLastMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'Metadata';
}
