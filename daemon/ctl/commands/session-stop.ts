import { once } from 'node:events';
import type { Command } from 'commander';
import { API_VERSION, type SessionView } from '../../contract/control-api.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, Interrupted, OutputClosed, usageError } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { type Column, tableLines } from '../output/table.ts';
import { sessionsNamed, sessionsOfContact } from './session-choice.ts';
import type { Sessions } from './session-list.ts';
import { type Outcome, stopSessions } from './stop-requests.ts';

interface StopOptions {
  readonly contact?: string;
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** A line of the table. */
type Row = Omit<Outcome, 'outcome'> & { readonly outcome: Outcome['outcome'] | 'not stopped' };

const COLUMNS: readonly Column<Row>[] = [
  { title: 'SESSION', text: ({ sessionId }) => sessionId },
  { title: 'CONTACT', text: ({ contactId }) => contactId },
  {
    title: 'OUTCOME',
    text: ({ outcome }) => outcome,
    style: ({ outcome }) => (outcome === 'failed' || outcome === 'not stopped' ? 'red' : undefined),
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
      await stopAndShow(invocation, chosen);
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

/** Prints how each session ended. Throws a Failure if one failed, or may go on. */
async function stopAndShow(invocation: Invocation, chosen: readonly SessionView[]): Promise<void> {
  const { stopped, notStopped, error } = await stopSessions(invocation, chosen);
  const rest = notStopped.map((each) => ({ ...each, outcome: 'not stopped' as const }));
  // The error of a single session is the failure, which is reported below.
  const rows: readonly Row[] = chosen.length === 1 ? stopped : [...stopped, ...rest];
  const noRows = chosen.length === 0 ? ['no sessions running'] : [];
  invocation.show({ apiVersion: API_VERSION, stopped, ...(notStopped.length > 0 && { notStopped }) }, () =>
    rows.length === 0 ? noRows : tableLines(rows, COLUMNS, invocation),
  );
  if (error) throw failureOf(error, notStopped.length, chosen.length);
  const failed = stopped.filter(({ outcome }) => outcome === 'failed').length;
  if (failed > 0) {
    throw new Failure(
      `${failed} of ${stopped.length} sessions ended as failed; see: journalctl -u integratord`,
      EXIT.failure,
    );
  }
}

/** The failure to report; `error` is that of the first session which may go on. */
function failureOf(error: Error, notStopped: number, chosen: number): Error {
  if (error instanceof Interrupted) {
    const except = notStopped === 0 ? '' : ', except those listed as not stopped';
    const what = `interrupted; the sessions will still end${except}`;
    return new Failure(`${what}; see: integratorctl sessions`, EXIT.interrupted, { cause: error });
  }
  if (chosen === 1 || !(error instanceof Failure) || error instanceof OutputClosed) return error;
  const what = `${notStopped} of ${chosen} sessions were not stopped`;
  return new Failure(`${what}: ${error.message}`, error.exit, { cause: error });
}
