import type { EndedSession } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { durationText } from '../output/durations.ts';
import { shortIds } from '../output/short-ids.ts';
import { type Column, type TableOptions, tableLines } from '../output/table.ts';

/** Sessions that have ended, as a table, in the given order. */
export function endedLines(ended: readonly EndedSession[], nowEpochMs: Millis, options: TableOptions): string[] {
  const shortSession = shortIds(ended.map(({ sessionId }) => sessionId));
  const shortContact = shortIds(ended.map(({ contactId }) => contactId));
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
    { title: 'GAPS', text: ({ gapMs }) => figure(gapMs), align: 'right' },
    { title: 'REASON', text: ({ reason }) => reason },
  ];
  return tableLines(ended, columns, options);
}
