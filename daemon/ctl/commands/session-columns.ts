import { InvalidArgumentError } from 'commander';
import type { SessionView } from '../../contract/control-api.ts';
import { durationText } from '../output/durations.ts';
import { shortIds } from '../output/short-ids.ts';
import { COLUMN_SEPARATOR, type Column, widthOf } from '../output/table.ts';

/** A column of the list of sessions. */
export interface SessionColumn extends Column<SessionView> {
  /** Sort key: numbers sort descending, text ascending. */
  readonly key: (session: SessionView) => number | string;
  /** Shown by `-o wide` and by `--columns` only. */
  readonly isWide?: true;
}

const text = (title: string, key: (session: SessionView) => string): SessionColumn => ({ title, key, text: key });
const number = (
  title: string,
  key: (session: SessionView) => number,
  shown: (value: number) => string = durationText,
): SessionColumn => ({ title, key, text: (session) => shown(key(session)), align: 'right' });
const wide = (column: SessionColumn): SessionColumn => ({ ...column, isWide: true });

/** In the order of their importance: a narrow terminal shows the first ones. */
export const SESSION_COLUMNS: readonly SessionColumn[] = [
  text('SESSION', ({ sessionId }) => sessionId),
  text('CONTACT', ({ contactId }) => contactId),
  text('STATE', ({ state }) => state),
  number('AGE', ({ ageMs }) => ageMs),
  number('LAG', ({ lagMs }) => lagMs),
  { ...number('GAPS', ({ gapMs }) => gapMs), style: ({ gapMs }) => (gapMs > 0 ? 'yellow' : undefined) },
  number('RECONNECTS', ({ reconnects }) => reconnects, String),
  wide(number('AUDIO', ({ audioMs }) => audioMs)),
  wide(text('MODEL', ({ model }) => model ?? '')),
  wide(text('CALLBACK-HOST', ({ callbackHost }) => callbackHost ?? '')),
];

/** The names of all columns, as `--sort` and `--columns` take them. */
export const COLUMN_NAMES: readonly string[] = SESSION_COLUMNS.map(nameOf);

/** The column of that name. */
export function columnNamed(name: string): SessionColumn {
  const column = SESSION_COLUMNS.find((each) => nameOf(each) === name);
  if (!column) throw new InvalidArgumentError(`Columns are ${COLUMN_NAMES.join(', ')}.`);
  return column;
}

/** Parses `session,lag`. Throws InvalidArgumentError, which commander reports. */
export function parseColumns(names: string): readonly SessionColumn[] {
  return names.split(',').map((name) => columnNamed(name.trim().toLowerCase()));
}

/** The usual columns, with ids as short as they can be among `all` sessions and as many columns as fit into `width`. */
export function usualColumns(all: readonly SessionView[], width: number): readonly SessionColumn[] {
  const shortSession = shortIds(all.map(({ sessionId }) => sessionId));
  const shortContact = shortIds(all.map(({ contactId }) => contactId));
  const usual = SESSION_COLUMNS.filter(({ isWide }) => !isWide).map((column) => {
    if (column.title === 'SESSION') return { ...column, text: ({ sessionId }: SessionView) => shortSession(sessionId) };
    if (column.title === 'CONTACT') return { ...column, text: ({ contactId }: SessionView) => shortContact(contactId) };
    return column;
  });
  let left = width + COLUMN_SEPARATOR.length;
  const fitting = usual.filter((column) => {
    left -= widthOf(column, all) + COLUMN_SEPARATOR.length;
    return left >= 0;
  });
  // Even the narrowest terminal names the sessions.
  return fitting.length > 0 ? fitting : usual.slice(0, 1);
}

function nameOf({ title }: SessionColumn): string {
  return title.toLowerCase();
}
