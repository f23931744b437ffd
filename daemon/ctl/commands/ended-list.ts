import type { EndedSession } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { durationText } from '../output/durations.ts';
import { shortIds } from '../output/short-ids.ts';
import { COLUMN_SEPARATOR, type Column, type TableOptions, tableLines, widthOf } from '../output/table.ts';

/** Room for the reasons of calls that were completed: `no-more-fragments`. */
const LEAST_REASON = 20;
/** This many columns, and the reason, are shown on the narrowest terminal, too. */
const MOST_IMPORTANT = 3;

interface EndedOptions extends TableOptions {
  readonly nowEpochMs: Millis;
  /** Full ids. */
  readonly isWide: boolean;
  readonly width: number;
}

/** Sessions that have ended, as a table, in the given order. */
export function endedLines(ended: readonly EndedSession[], options: EndedOptions): string[] {
  const { nowEpochMs, isWide, width, header, paint } = options;
  const full = (id: string) => id;
  const shortSession = isWide ? full : shortIds(ended.map(({ sessionId }) => sessionId));
  const shortContact = isWide ? full : shortIds(ended.map(({ contactId }) => contactId));
  const figure = (ms: Millis | undefined) => (ms === undefined ? '' : durationText(ms));
  const columns: readonly Column<EndedSession>[] = [
    { title: 'SESSION', text: ({ sessionId }) => shortSession(sessionId) },
    { title: 'CONTACT', text: ({ contactId }) => shortContact(contactId) },
    {
      title: 'OUTCOME',
      text: ({ outcome }) => outcome,
      style: ({ outcome }) => (outcome === 'failed' ? 'red' : undefined),
    },
    { title: 'ENDED', text: ({ endedAtEpochMs }) => `${figure(nowEpochMs - endedAtEpochMs)} ago`, align: 'right' },
    { title: 'AUDIO', text: ({ audioMs }) => figure(audioMs), align: 'right' },
    {
      title: 'GAPS',
      text: ({ gapMs }) => figure(gapMs),
      align: 'right',
      style: ({ gapMs = 0 }) => (gapMs > 0 ? 'yellow' : undefined),
    },
  ];
  const shown = [...columns];
  const room = () => width - shown.reduce((sum, column) => sum + widthOf(column, ended) + COLUMN_SEPARATOR.length, 0);
  while (room() < LEAST_REASON && shown.length > MOST_IMPORTANT) shown.pop();
  const reason: Column<EndedSession> = { title: 'REASON', text: (session) => session.reason };
  return tableLines(ended, [...shown, reason], { header, paint, width });
}
