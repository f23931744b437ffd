import { type Command, InvalidArgumentError, Option } from 'commander';
import { SESSION_STATES, type SessionState, type SessionView, type Versioned } from '../../contract/control-api.ts';
import { usageError } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { durationText } from '../output/durations.ts';
import { type Column, tableLines } from '../output/table.ts';
import { sessionsOfContact } from './session-choice.ts';

interface SessionColumn extends Column<SessionView> {
  /** Sort key: numbers sort descending, text ascending. */
  readonly key: (session: SessionView) => number | string;
}

/** The subcommand that `sessions` alone runs. */
export const DEFAULT_SESSIONS_COMMAND = 'list';

const text = (title: string, key: (session: SessionView) => string): SessionColumn => ({ title, key, text: key });
const number = (
  title: string,
  key: (session: SessionView) => number,
  shown: (value: number) => string = durationText,
): SessionColumn => ({ title, key, text: (session) => shown(key(session)), align: 'right' });

const COLUMNS: readonly SessionColumn[] = [
  text('SESSION', ({ sessionId }) => sessionId),
  text('CONTACT', ({ contactId }) => contactId),
  text('STATE', ({ state }) => state),
  number('AGE', ({ ageMs }) => ageMs),
  number('LAG', ({ lagMs }) => lagMs),
  number('AUDIO', ({ audioMs }) => audioMs),
  { ...number('GAPS', ({ gapMs }) => gapMs), style: ({ gapMs }) => (gapMs > 0 ? 'yellow' : undefined) },
  number('RECONNECTS', ({ reconnects }) => reconnects, String),
  text('MODEL', ({ model }) => model ?? ''),
  text('CALLBACK-HOST', ({ callbackHost }) => callbackHost ?? ''),
];

export interface ListOptions {
  readonly state?: SessionState;
  readonly contact?: string;
  readonly sort: string;
  readonly limit?: number;
}

export type Sessions = { readonly sessions: readonly SessionView[] };

/** Adds the options that select and order sessions. */
export function addListOptions(command: Command): Command {
  const sortable = COLUMNS.map(({ title }) => title.toLowerCase());
  return command
    .addOption(new Option('--state <state>', 'show only sessions in this state').choices(SESSION_STATES))
    .option('--contact <id>', 'show only sessions of this contact (id or unique prefix)')
    .addOption(
      new Option('--sort <column>', 'sort by column (numbers descending, text ascending)')
        .choices(sortable)
        .default('age'),
    )
    .option('--limit <count>', 'show at most this many', parseCount);
}

/** integratorctl sessions list. */
export function addListCommand(sessions: Command, io: Io): void {
  const list = sessions
    .command(DEFAULT_SESSIONS_COMMAND, { isDefault: true })
    .description('list the sessions, oldest first');
  // An unknown subcommand arrives here as an argument of the default one.
  addListOptions(list.allowExcessArguments()).action(async (options: ListOptions, command: Command) => {
    const [unknown] = command.args;
    if (unknown !== undefined) throw usageError(`unknown command '${unknown}'; see: integratorctl sessions --help`);
    const invocation = new Invocation(command, io);
    const chosen = chooseSessions(await invocation.daemon.get<Sessions>('/v1/sessions'), options);
    invocation.show(chosen, () => sessionLines(chosen, invocation));
  });
}

/** The response with only the sessions that the options select, in their order. */
export function chooseSessions(response: Versioned<Sessions>, options: ListOptions): Versioned<Sessions> {
  const { state, contact, sort, limit } = options;
  const key = COLUMNS.find(({ title }) => title.toLowerCase() === sort)?.key;
  if (!key) throw new Error(`unknown column ${sort}`);
  const ofContact = contact === undefined ? response.sessions : sessionsOfContact(response.sessions, contact);
  const inState = state ? ofContact.filter((session) => session.state === state) : ofContact;
  const sorted = inState.toSorted((one, other) => compare(key(one), key(other)));
  return { ...response, sessions: sorted.slice(0, limit) };
}

/** The sessions as a table. */
export function sessionLines({ sessions }: Sessions, { header, paint }: Pick<Invocation, 'header' | 'paint'>) {
  return tableLines(sessions, COLUMNS, { header, paint });
}

function compare(one: number | string, other: number | string): number {
  if (typeof one === 'number' && typeof other === 'number') return other - one;
  return String(one) < String(other) ? -1 : Number(String(one) > String(other));
}

function parseCount(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It must be a positive whole number.');
  return Number(value);
}
