import type { Command } from 'commander';
import type { SessionDetails, SessionView, TimelineEntry } from '../../contract/control-api.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { durationText } from '../output/durations.ts';
import { printableJson } from '../output/printable.ts';
import { type Column, pairLines, tableLines } from '../output/table.ts';
import { sessionOf } from './session-choice.ts';
import type { Sessions } from './session-list.ts';

const BYTES_PER_KIB = 1024;

/** integratorctl sessions show. */
export function addShowCommand(sessions: Command, io: Io): void {
  sessions
    .command('show')
    .description('show a session: figures, parameters (secrets masked) and timeline')
    .argument('<id>', 'id of a session or contact, or a unique prefix')
    .action(async (id: string, _options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const { sessionId } = sessionOf((await invocation.daemon.get<Sessions>('/v1/sessions')).sessions, id);
      const details = await invocation.daemon.get<SessionDetails>(`/v1/sessions/${encodeURIComponent(sessionId)}`);
      invocation.show(details, () => detailLines(details, invocation));
    });
}

function detailLines({ session, params, timeline }: SessionDetails, { header, paint }: Invocation): string[] {
  const namesAndValues = Object.entries(params).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each] as const),
  );
  const startedAt = timeline[0]?.atEpochMs ?? 0;
  return [
    ...pairLines(figures(session), paint),
    '',
    paint('bold', 'PARAMETERS'),
    ...pairLines(namesAndValues, paint),
    '',
    ...tableLines(timeline, timelineColumns(startedAt), { header, paint }),
  ];
}

function figures(session: SessionView): (readonly [string, string | undefined])[] {
  return [
    ['session', session.sessionId],
    ['contact', session.contactId],
    ['trace', session.traceId],
    ['state', session.state],
    ['age', durationText(session.ageMs)],
    ['audio', durationText(session.audioMs)],
    ['lag', `${durationText(session.lagMs)} (worst ${durationText(session.worstLagMs)})`],
    ['gaps', durationText(session.gapMs)],
    ['reconnects', `${session.reconnects} (${durationText(session.replayedMs)} of audio repeated)`],
    ['buffer', `${Math.ceil(session.worstBufferBytes / BYTES_PER_KIB)} KiB at most`],
    ['model', session.model],
    ['callback host', session.callbackHost],
    ['Deepgram request', session.deepgramRequestIds.join(' ')],
  ];
}

function timelineColumns(startedAt: number): Column<TimelineEntry>[] {
  return [
    { title: 'TIME', text: ({ atEpochMs }) => new Date(atEpochMs).toISOString() },
    { title: 'SINCE', text: ({ atEpochMs }) => `+${durationText(atEpochMs - startedAt)}`, align: 'right' },
    { title: 'EVENT', text: ({ event }) => String(event) },
    { title: 'DETAILS', text: fieldsOf },
  ];
}

function fieldsOf({ atEpochMs, event, ...fields }: TimelineEntry): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : printableJson(value)}`)
    .join(' ');
}
