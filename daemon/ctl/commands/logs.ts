import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { History } from '../../contract/control-api.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, usageError } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';
import { sessionsNamed } from './session-choice.ts';
import type { Sessions } from './session-list.ts';

const UNIT = 'integratord';
/** What journalctl says when every file of the journal is closed to this user; it has no other sign (systemd 252). */
const NOT_PERMITTED = /insufficient permissions/;

/** integratorctl logs: the journal's lines of one session or contact. */
export function addLogsCommand(program: Command, io: Io): void {
  program
    .command('logs')
    .description("print the journal's lines of a session or contact")
    .argument('<id>', 'id of a session or contact, or a unique prefix')
    .option('--since <time>', "from this time on, as in journalctl's --since", '-24h')
    .action(async (id: string, { since }: { since: string }, command: Command) => {
      const invocation = new Invocation(command, io);
      if (id === '') throw usageError('the id is empty; see: integratorctl sessions');
      const found = await printLines(io, since, await wanted(invocation, id));
      if (found === 0) await assertSeesSystem(io);
      if (found === 0) throw new Failure(`the journal has no line of ${printable(id)} since ${since}`, EXIT.notFound);
    });
}

/** Whose lines are wanted. */
interface Wanted {
  /** Parts of a line without which it is not wanted: cheaper than parsing it. */
  readonly parts: readonly string[];
  readonly matches: (id: string) => boolean;
}

/** Those of the ids that `id` abbreviates; of any that begins with it, if the daemon does not know it any more. */
async function wanted({ daemon }: Invocation, id: string): Promise<Wanted> {
  try {
    const { sessions } = await daemon.get<Sessions>('/v1/sessions');
    const { ended } = await daemon.get<History>('/v1/history');
    const named = sessionsNamed([...sessions, ...ended], id);
    // A start that was refused has a contact and no session.
    const contacts = named.filter(({ contactId }) => contactId.startsWith(id));
    const ids = new Set([...named.map(({ sessionId }) => sessionId), ...contacts.map(({ contactId }) => contactId)]);
    return { parts: [...ids], matches: (each) => ids.has(each) };
  } catch (error) {
    const isUnknown = error instanceof Failure && (error.exit === EXIT.notFound || error.exit === EXIT.notRunning);
    if (isUnknown) return { parts: [id], matches: (each) => each.startsWith(id) };
    throw error;
  }
}

async function printLines(io: Io, since: string, whose: Wanted): Promise<number> {
  let found = 0;
  await journalctl(io, ['--unit', UNIT, '--since', since], (line) => {
    if (!isOf(line, whose)) return;
    found++;
    io.stdout.write(`${printable(line)}\n`);
  });
  return found;
}

/**
 * To a user who may not read the system's journal, journalctl shows the lines of their own, without an error; with
 * --system, which leaves these out, it fails. Throws a Failure then.
 */
async function assertSeesSystem(io: Io): Promise<void> {
  await journalctl(io, ['--system', '--lines', '1'], () => {});
}

/** Calls `onLine` for each line. Throws a Failure if there is no journal, or none that this user may read. */
async function journalctl({ stop, env }: Io, args: readonly string[], onLine: (line: string) => void): Promise<void> {
  const shown = ['--output', 'cat', '--no-pager', '--quiet'];
  const journal = spawn('journalctl', [...args, ...shown], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: stop,
    env: { ...env },
  });
  const closed = once(journal, 'close').catch((error: NodeJS.ErrnoException) => {
    stop.throwIfAborted();
    throw noJournal(error);
  });
  let errors = '';
  journal.stderr.on('data', (text) => {
    errors += text;
  });
  const read = (async () => {
    for await (const line of linesOf(journal.stdout)) onLine(line);
  })();
  const [[code]] = await Promise.all([closed, read]);
  if (code === 0) return;
  if (NOT_PERMITTED.test(errors)) {
    const what = "no permission to read the system's journal";
    throw new Failure(`${what}; use sudo, or join the group systemd-journal`, EXIT.noPermission);
  }
  throw new Failure(`journalctl exited with ${code}: ${printable(errors.trim())}`, EXIT.failure);
}

/** Ends lines at line feeds only: to node:readline, U+2028 ends one too, and JSON may contain it. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream.setEncoding('utf8')) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function isOf(line: string, { parts, matches }: Wanted): boolean {
  // Most lines of a busy daemon are about other sessions: parsing all would take a while.
  if (!parts.some((part) => line.includes(part))) return false;
  try {
    const { sessionId, contactId } = JSON.parse(line) as { sessionId?: string; contactId?: string };
    return [sessionId, contactId].some((each) => each !== undefined && matches(each));
  } catch {
    return false;
  }
}

function noJournal(cause: NodeJS.ErrnoException): Failure {
  const why = cause.code === 'ENOENT' ? 'there is no journalctl on this machine' : cause.message;
  return new Failure(`${why}; read the log where integratord's standard output goes`, EXIT.failure, { cause });
}
