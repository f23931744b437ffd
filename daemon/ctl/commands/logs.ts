import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
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

async function printLines({ stdout, stop, env }: Io, since: string, whose: Wanted): Promise<number> {
  const args = ['--unit', UNIT, '--output', 'cat', '--since', since, '--no-pager', '--quiet'];
  const journal = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'], signal: stop, env: { ...env } });
  const closed = once(journal, 'close').catch((error: NodeJS.ErrnoException) => {
    throw noJournal(error);
  });
  let [found, errors] = [0, ''];
  journal.stderr.on('data', (text) => {
    errors += text;
  });
  const printed = (async () => {
    for await (const line of createInterface({ input: journal.stdout })) {
      if (!isOf(line, whose)) continue;
      found++;
      stdout.write(`${printable(line)}\n`);
    }
  })();
  const [[code]] = await Promise.all([closed, printed]);
  if (code !== 0) throw new Failure(`journalctl exited with ${code}: ${printable(errors.trim())}`, EXIT.failure);
  return found;
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
