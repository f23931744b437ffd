import { once } from 'node:events';
import type { Command } from 'commander';
import { API_VERSION, type SessionView, type Stopped } from '../../contract/control-api.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, Interrupted, Refused, usageError } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { type Column, tableLines } from '../output/table.ts';
import { sessionsNamed, sessionsOfContact } from './session-choice.ts';
import type { Sessions } from './session-list.ts';

interface StopOptions {
  readonly contact?: string;
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** How a session ended; `already-over` if that was before the daemon got the request. */
type Outcome = Omit<Stopped, 'outcome'> & {
  readonly contactId: string;
  readonly outcome: Stopped['outcome'] | 'already-over';
};

const COLUMNS: readonly Column<Outcome>[] = [
  { title: 'SESSION', text: ({ sessionId }) => sessionId },
  { title: 'CONTACT', text: ({ contactId }) => contactId },
  {
    title: 'OUTCOME',
    text: ({ outcome }) => outcome,
    style: ({ outcome }) => (outcome === 'failed' ? 'red' : undefined),
  },
  { title: 'REASON', text: ({ reason, error }) => [reason, error].filter(Boolean).join(': ') },
];

/** integratorctl sessions stop. */
export function addStopCommand(sessions: Command, io: Io): void {
  sessions
    .command('stop')
    .description("end sessions cleanly: audio so far is transcribed; waits for Deepgram's last results")
    .argument('[id...]', 'ids of sessions or contacts, or unique prefixes')
    .option('--contact <id>', 'the sessions of this contact (id or unique prefix)')
    .option('--all', 'every session of this daemon; asks for confirmation')
    .option('--yes', 'do not ask for confirmation')
    .action(async (ids: string[], options: StopOptions, command: Command) => {
      const invocation = new Invocation(command, io);
      const chosen = await choose(invocation, ids, options);
      if (options.all && !options.yes && chosen.length > 0) await confirm(io, chosen.length);
      await stopSessions(invocation, chosen);
    });
}

async function choose(invocation: Invocation, ids: readonly string[], { contact, all, yes }: StopOptions) {
  const ways = [ids.length > 0, contact !== undefined, all === true].filter(Boolean).length;
  if (ways !== 1) throw usageError('select the sessions to stop by ids, by --contact or by --all');
  if (all && !yes && !invocation.io.stdin.isTTY) {
    throw usageError('--all without a terminal to confirm at needs --yes');
  }
  const { sessions } = await invocation.daemon.get<Sessions>('/v1/sessions');
  if (ids.length > 0) return [...new Set(ids.flatMap((id) => sessionsNamed(sessions, id)))];
  const named = contact === undefined ? sessions : sessionsOfContact(sessions, contact);
  return named.filter(({ state }) => state !== 'ended');
}

async function confirm({ stdin, stderr, stop }: Io, count: number): Promise<void> {
  // Loaded on demand: it would add a good part of the time that other commands take.
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    stderr.write(`Stop ${count === 1 ? 'the one session' : `all ${count} sessions`} of this daemon? [y/N] `);
    const answer = await Promise.race([
      once(lines, 'line', { signal: stop }).then(([line]) => String(line)),
      once(lines, 'close', { signal: stop }).then(() => ''),
    ]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('nothing was stopped; answer y, or use --yes');
  } catch (error) {
    stop.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}

async function stopSessions(invocation: Invocation, chosen: readonly SessionView[]): Promise<void> {
  const settled = await Promise.allSettled(chosen.map((session) => stopSession(invocation, session)));
  const stopped = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  invocation.show({ apiVersion: API_VERSION, stopped }, () =>
    chosen.length === 0
      ? ['no sessions running']
      : stopped.length === 0
        ? []
        : tableLines(stopped, COLUMNS, invocation),
  );
  const refused = settled.find((each) => each.status === 'rejected');
  if (refused) throw refused.reason instanceof Interrupted ? interrupted(refused.reason) : refused.reason;
  const failed = stopped.filter(({ outcome }) => outcome === 'failed').length;
  if (failed > 0) {
    throw new Failure(
      `${failed} of ${stopped.length} sessions ended as failed; see: journalctl -u integratord`,
      EXIT.failure,
    );
  }
}

async function stopSession({ daemon }: Invocation, { sessionId, contactId }: SessionView): Promise<Outcome> {
  try {
    const path = `/v1/sessions/${encodeURIComponent(sessionId)}/stop`;
    const { apiVersion: _, ...stopped } = await daemon.post<Stopped>(path, { timeoutMs: Infinity });
    return { contactId, ...stopped };
  } catch (error) {
    if (error instanceof Refused && error.exit === EXIT.notFound) {
      return { sessionId, contactId, outcome: 'already-over' };
    }
    throw error;
  }
}

function interrupted(cause: Error): Failure {
  const what = 'interrupted; the sessions will still end';
  return new Failure(`${what}; see: integratorctl sessions`, EXIT.interrupted, { cause });
}
