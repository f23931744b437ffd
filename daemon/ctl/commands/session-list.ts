import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  API_VERSION,
  type EndedSession,
  type History,
  SESSION_STATES,
  type SessionState,
  type SessionView,
  type Versioned,
} from '../../contract/control-api.ts';
import { usageError } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { durationText } from '../output/durations.ts';
import { printable } from '../output/printable.ts';
import { tableLines } from '../output/table.ts';
import { endedLines } from './ended-list.ts';
import { sessionsOfContact } from './session-choice.ts';
import {
  COLUMN_NAMES,
  columnNamed,
  parseColumns,
  SESSION_COLUMNS,
  type SessionColumn,
  usualColumns,
} from './session-columns.ts';

/** The subcommand that `sessions` alone runs. */
export const DEFAULT_SESSIONS_COMMAND = 'list';

/** `wide` has all columns and full ids; `name` prints the sessions' ids, one per line. */
const OUTPUTS = ['table', 'wide', 'json', 'name'] as const;

/** Outcomes, to choose among the sessions that have ended. */
const OUTCOMES = ['completed', 'failed'] as const;
type Outcome = (typeof OUTCOMES)[number];

export interface ListOptions {
  readonly state?: SessionState;
  readonly contact?: string;
  readonly sort: string;
  readonly limit?: number;
  readonly output: (typeof OUTPUTS)[number];
  readonly columns?: readonly SessionColumn[];
}

export type Sessions = { readonly sessions: readonly SessionView[] };

/** Adds the options that select and order sessions. */
export function addListOptions(command: Command, states: readonly string[] = SESSION_STATES): Command {
  return command
    .addOption(new Option('--state <state>', 'show only sessions in this state').choices(states))
    .option('--contact <id>', 'show only sessions of this contact (id or unique prefix)')
    .addOption(
      new Option('--sort <column>', 'sort by column (numbers descending, text ascending)')
        .choices(COLUMN_NAMES)
        .default('age'),
    )
    .option('--limit <count>', 'show at most this many', parseCount)
    .addOption(
      new Option('-o, --output <format>', 'table, wide (all columns, full ids), json, or name (session ids)')
        .choices(OUTPUTS)
        .default('table'),
    )
    .addOption(
      new Option('--columns <names>', `show these columns, such as session,lag: ${COLUMN_NAMES.join(', ')}`).argParser(
        parseColumns,
      ),
    );
}

/** integratorctl sessions list. */
export function addListCommand(sessions: Command, io: Io): void {
  const list = sessions
    .command(DEFAULT_SESSIONS_COMMAND, { isDefault: true })
    .description(
      'list the running sessions, oldest first; with --state ended, completed or failed those that ended within a day, the last one first',
    );
  // An unknown subcommand arrives here as an argument of the default one.
  addListOptions(list.allowExcessArguments(), [...SESSION_STATES, ...OUTCOMES]).action(
    async (options: EndedOptions | ListOptions, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) throw usageError(`unknown command '${unknown}'; see: integratorctl sessions --help`);
      const invocation = new Invocation(command, io);
      if (isAboutEnded(options)) {
        if (options.columns || command.getOptionValueSource('sort') !== 'default')
          throw usageError(
            '--sort and --columns are for running sessions; those that ended are in the order of their ends',
          );
        await listEnded(invocation, options);
        return;
      }
      const all = await invocation.daemon.get<Sessions>('/v1/sessions');
      const chosen = chooseSessions(all, options);
      invocation.show(chosen, () => [
        ...sessionLines(chosen, all, options, invocation),
        ...summaryLines(chosen, all, options, invocation).flatMap((line) =>
          chosen.sessions.length > 0 ? ['', line] : [line],
        ),
      ]);
    },
  );
}

/** `list --state failed`: the sessions that ended here, the last one first. */
type EndedOptions = Omit<ListOptions, 'state'> & { readonly state: 'ended' | Outcome };

function isAboutEnded(options: ListOptions | EndedOptions): options is EndedOptions {
  return options.state === 'ended' || options.state === 'completed' || options.state === 'failed';
}

async function listEnded(invocation: Invocation, { state, contact, limit, output }: EndedOptions): Promise<void> {
  const { ended: all } = await invocation.daemon.get<History>('/v1/history');
  const inState = all.filter(({ outcome }) => state === 'ended' || outcome === state);
  const ofContact = contact === undefined ? inState : sessionsOfContact(inState, contact);
  const ended = ofContact.slice(0, limit);
  invocation.show({ apiVersion: API_VERSION, ended }, () => linesOfEnded(ended, output, invocation));
}

function linesOfEnded(ended: readonly EndedSession[], output: ListOptions['output'], invocation: Invocation) {
  if (output === 'name') return ended.map(({ sessionId }) => printable(sessionId));
  const { header, paint, io } = invocation;
  const isWide = output === 'wide';
  const width = isWide ? Infinity : invocation.width;
  const summary = `${countText(ended.length)} within a day, since the daemon started`;
  if (ended.length === 0) return header ? [summary] : [];
  const table = endedLines(ended, { header, paint, nowEpochMs: io.clock.epoch(), isWide, width });
  return header ? [...table, '', summary] : table;
}

/** The response with only the sessions that the options select, in their order. */
export function chooseSessions(response: Versioned<Sessions>, options: ListOptions): Versioned<Sessions> {
  const { state, contact, sort, limit } = options;
  const { key } = columnNamed(sort);
  const ofContact = contact === undefined ? response.sessions : sessionsOfContact(response.sessions, contact);
  const inState = state ? ofContact.filter((session) => session.state === state) : ofContact;
  // By id where the keys are equal: rows must not change places from one call to the next.
  const sorted = inState.toSorted(
    (one, other) => compare(key(one), key(other)) || compare(one.sessionId, other.sessionId),
  );
  return { ...response, sessions: sorted.slice(0, limit) };
}

/** The sessions as a table, or as their ids. */
export function sessionLines(
  { sessions }: Sessions,
  { sessions: all }: Sessions,
  { output, columns }: Pick<ListOptions, 'output' | 'columns'>,
  { header, paint, width }: Pick<Invocation, 'header' | 'paint' | 'width'>,
): string[] {
  if (output === 'name') return sessions.map(({ sessionId }) => printable(sessionId));
  if (sessions.length === 0) return [];
  const shown = columns ?? (output === 'wide' ? SESSION_COLUMNS : usualColumns(all, width));
  return tableLines(sessions, shown, { header, paint });
}

/** The sessions in one line, apart from the table; none where a script reads. */
export function summaryLines(
  { sessions }: Sessions,
  { sessions: all }: Sessions,
  { output }: Pick<ListOptions, 'output'>,
  { header }: Pick<Invocation, 'header'>,
): string[] {
  return header && output !== 'name' ? [summaryOf(sessions, all.length)] : [];
}

function summaryOf(sessions: readonly SessionView[], all: number): string {
  const withGaps = sessions.filter(({ gapMs }) => gapMs > 0);
  const lagMs = Math.max(0, ...sessions.map((session) => session.lagMs));
  const gapMs = withGaps.reduce((sum, session) => sum + session.gapMs, 0);
  return [
    shareText(sessions.length, all),
    ...(sessions.length > 0 ? [`largest lag ${durationText(lagMs)}`] : []),
    ...(withGaps.length > 0 ? [`${withGaps.length} with gaps (${durationText(gapMs)})`] : []),
  ].join(', ');
}

function shareText(count: number, all: number): string {
  if (count === all) return countText(count);
  return count === 0 ? `none of ${countText(all)}` : `${countText(count)} of ${all}`;
}

function countText(count: number): string {
  return count === 0 ? 'no sessions' : count === 1 ? '1 session' : `${count} sessions`;
}

function compare(one: number | string, other: number | string): number {
  if (typeof one === 'number' && typeof other === 'number') return other - one;
  return String(one) < String(other) ? -1 : Number(String(one) > String(other));
}

function parseCount(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It must be a positive whole number.');
  return Number(value);
}
