import type { Command } from 'commander';
import type {
  EndedDetails,
  EndedSession,
  History,
  SessionDetails,
  SessionView,
  TimelineEntry,
} from '../../contract/control-api.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { durationText } from '../output/durations.ts';
import { printableJson } from '../output/printable.ts';
import { type Column, type Pair, pairLines, tableLines } from '../output/table.ts';
import { sessionOf } from './session-choice.ts';
import type { Sessions } from './session-list.ts';

const BYTES_PER_KIB = 1024;

/** integratorctl sessions show. */
export function addShowCommand(sessions: Command, io: Io): void {
  sessions
    .command('show')
    .description(
      'show a running session, or one that ended within a day: figures, parameters (secrets masked) and timeline',
    )
    .argument('<id>', 'id of a session or contact, or a unique prefix')
    .action(async (id: string, _options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const { sessions } = await invocation.daemon.get<Sessions>('/v1/sessions');
      const { ended } = await invocation.daemon.get<History>('/v1/history');
      const found = sessionOf(choiceOf(sessions, ended, id), id);
      if ('outcome' in found) await showEnded(invocation, found);
      else await showRunning(invocation, found);
    });
}

/** For a contact, running sessions come first, then the last one that ended. */
function choiceOf(
  running: readonly SessionView[],
  ended: readonly EndedSession[],
  id: string,
): readonly (SessionView | EndedSession)[] {
  const isNamed = (each: { sessionId: string; contactId: string }) =>
    each.sessionId.startsWith(id) || each.contactId.startsWith(id);
  if (running.some(isNamed)) return running;
  const latest = new Map(ended.toReversed().map((each) => [each.contactId, each]));
  return ended.some(({ sessionId }) => sessionId.startsWith(id)) ? ended : [...latest.values()];
}

async function showRunning(invocation: Invocation, { sessionId }: SessionView): Promise<void> {
  const details = await invocation.daemon.get<SessionDetails>(`/v1/sessions/${encodeURIComponent(sessionId)}`);
  invocation.show(details, () => detailLines(details, invocation));
}

async function showEnded(invocation: Invocation, { sessionId }: EndedSession): Promise<void> {
  const known = await invocation.daemon.get<EndedDetails>(`/v1/history/${encodeURIComponent(sessionId)}`);
  const { ended, details } = known;
  const end: Pair[] = [
    ['outcome', ended.outcome, ended.outcome === 'failed' ? 'red' : undefined],
    ['reason', ended.reason],
    ['ended', new Date(ended.endedAtEpochMs).toISOString()],
  ];
  const identity: Pair[] = [
    ['session', ended.sessionId],
    ['contact', ended.contactId],
    ['trace', ended.traceId],
  ];
  invocation.show(known, () =>
    details ? detailLines(details, invocation, end) : pairLines([...end, ...identity], invocation),
  );
}

/** @param end how the session ended, if it has */
function detailLines(
  { session, params, timeline }: SessionDetails,
  { header, paint, width }: Invocation,
  end?: readonly Pair[],
): string[] {
  const namesAndValues = Object.entries(params).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each] as const),
  );
  const startedAt = timeline[0]?.atEpochMs ?? 0;
  return [
    ...pairLines([...(end ?? []), ...figures(session, end === undefined)], { paint, width }),
    '',
    paint('bold', 'PARAMETERS'),
    ...pairLines(namesAndValues, { paint, width }),
    '',
    ...tableLines(timeline, timelineColumns(startedAt), { header, paint, width }),
  ];
}

function figures(session: SessionView, isRunning: boolean): Pair[] {
  const worst = `worst ${durationText(session.worstLagMs)}`;
  return [
    ['session', session.sessionId],
    ['contact', session.contactId],
    ['trace', session.traceId],
    ['state', isRunning ? session.state : undefined],
    [isRunning ? 'age' : 'duration', durationText(session.ageMs)],
    ['audio', durationText(session.audioMs)],
    ['lag', isRunning ? `${durationText(session.lagMs)} (${worst})` : worst],
    ['gaps', durationText(session.gapMs), session.gapMs > 0 ? 'yellow' : undefined],
    ['sent again', `${durationText(session.repeatedMs)} (left out)`],
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
