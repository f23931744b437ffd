import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Answer, SESSION_STATES, type SessionState, type SessionView } from '../../contract/control-api.ts';
import { usageError } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { durationText } from '../output/durations.ts';
import { type Column, tableLines } from '../output/table.ts';
import { sessionsOfContact } from './session-choice.ts';

interface SessionColumn extends Column<SessionView> {
  /** What --sort orders by: numbers from the largest on, texts from A on. */
  readonly key: (session: SessionView) => number | string;
}

/** What `sessions` alone does. */
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
  { ...number('HOLES', ({ holeMs }) => holeMs), style: ({ holeMs }) => (holeMs > 0 ? 'yellow' : undefined) },
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

/** The options that choose which sessions are shown, and in which order. */
export function addListOptions(command: Command): Command {
  const sortable = COLUMNS.map(({ title }) => title.toLowerCase());
  return command
    .addOption(new Option('--state <state>', 'only sessions in this state').choices(SESSION_STATES))
    .option('--contact <id>', 'only sessions of this contact (a unique prefix will do)')
    .addOption(
      new Option('--sort <column>', 'order by this column: numbers from the largest, texts from A')
        .choices(sortable)
        .default('age'),
    )
    .option('--limit <count>', 'show at most so many', parseCount);
}

/** integratorctl sessions list: the sessions of this daemon, one a line. */
export function addListCommand(sessions: Command, io: Io): void {
  const list = sessions
    .command(DEFAULT_SESSIONS_COMMAND, { isDefault: true })
    .description('list the sessions, oldest first');
  // What is no command comes here as an argument of the one that runs by default.
  addListOptions(list.allowExcessArguments()).action(async (options: ListOptions, command: Command) => {
    const [unknown] = command.args;
    if (unknown !== undefined) throw usageError(`unknown command '${unknown}'; see: integratorctl sessions --help`);
    const invocation = new Invocation(command, io);
    const answer = await invocation.daemon.get<Sessions>('/v1/sessions');
    const chosen = chooseSessions(answer, options);
    invocation.show(chosen, () => sessionLines(chosen, invocation));
  });
}

/** The answer with only the sessions that the options ask for, in their order. */
export function chooseSessions(answer: Answer<Sessions>, options: ListOptions): Answer<Sessions> {
  const { state, contact, sort, limit } = options;
  const key = COLUMNS.find(({ title }) => title.toLowerCase() === sort)?.key;
  if (!key) throw new Error(`there is no column ${sort}`);
  const ofContact = contact === undefined ? answer.sessions : sessionsOfContact(answer.sessions, contact);
  const inState = state ? ofContact.filter((session) => session.state === state) : ofContact;
  const sorted = inState.toSorted((one, other) => compare(key(one), key(other)));
  return { ...answer, sessions: sorted.slice(0, limit) };
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
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(value);
}
