import { eventId, SPEAKERS, type Speaker } from '../../daemon/contract/events.ts';
import type { ReceivedEvent } from './event.ts';

/** Something said, or a part of the call that is missing. Times are milliseconds of the call. */
type Line =
  | {
      readonly type: 'speech';
      readonly speaker: Speaker;
      readonly startMs: number;
      readonly endMs: number;
      readonly text: string;
      readonly confidence: number;
    }
  | {
      readonly type: 'gap';
      readonly speakers: readonly Speaker[];
      readonly startMs: number;
      readonly endMs: number;
      readonly cause: string;
    };

/** The transcript of one session of a call. */
export interface SessionTranscript {
  readonly sessionId: string;
  /** Wall time of call time 0; undefined while its event is missing. */
  readonly startedAt: string | undefined;
  /** Undefined while the session runs. */
  readonly ended: { readonly outcome: string; readonly reason: string } | undefined;
  /** Ids of events that have not arrived although later ones have: they may still come. */
  readonly missing: readonly string[];
  /** By `startMs`. */
  readonly lines: readonly Line[];
}

/** A line before the rest of its epoch is known. */
interface PlacedEvent {
  readonly event: ReceivedEvent;
  readonly line: Line;
}

/**
 * The transcripts of a call's sessions, in the order in which the sessions began. The events may be in any order, and
 * may be repeated.
 */
export function transcriptsOf(events: readonly ReceivedEvent[]): SessionTranscript[] {
  const sessions = Map.groupBy(events, ({ sessionId }) => sessionId);
  return [...sessions.values()]
    .map((ofSession) => transcriptOf(inOrder(ofSession)))
    .sort((one, other) => (one.startedAt ?? '').localeCompare(other.startedAt ?? ''));
}

/** By epoch and sequence, each event once. */
function inOrder(events: readonly ReceivedEvent[]): ReceivedEvent[] {
  const unique = new Map(events.map((event) => [event.id, event]));
  return [...unique.values()].sort((one, other) => one.epoch - other.epoch || one.sequence - other.sequence);
}

function transcriptOf(events: readonly ReceivedEvent[]): SessionTranscript {
  const [{ sessionId = '' } = {}] = events;
  let placed: PlacedEvent[] = [];
  for (const event of events) {
    // A later epoch repeats what the earlier one may not have delivered.
    if (event.type === 'session.resumed') placed = placed.flatMap((each) => withoutRepeated(each, event.from));
    const line = lineOf(event);
    if (line) placed.push({ event, line });
  }
  const arrived = new Set(events.map(({ id }) => id));
  return {
    sessionId,
    startedAt: startedAtOf(events),
    ended: endOf(events),
    missing: missingIn(events, arrived),
    lines: placed
      .filter(({ event }) => !hasArrivedLater(event, arrived))
      .map(({ line }) => line)
      .sort((one, other) => one.startMs - other.startMs),
  };
}

function lineOf(event: ReceivedEvent): Line | undefined {
  if (event.type === 'transcript' && event.text !== '') {
    const { speaker, startMs, endMs, text, confidence } = event;
    return { type: 'speech', speaker, startMs, endMs, text, confidence };
  }
  if (event.type !== 'gap') return undefined;
  const { channels, startMs, endMs, cause } = event;
  return { type: 'gap', speakers: channels, startMs, endMs, cause };
}

/** Without lines that start at or after `from`, per speaker: they are sent again. */
function withoutRepeated({ event, line }: PlacedEvent, from: Readonly<Record<Speaker, number>>): PlacedEvent[] {
  if (line.type === 'speech') return line.startMs < from[line.speaker] ? [{ event, line }] : [];
  const speakers = line.speakers.filter((speaker) => line.startMs < from[speaker]);
  return speakers.length === 0 ? [] : [{ event, line: { ...line, speakers } }];
}

/** True if every event that an `undelivered` gap names has arrived after all. */
function hasArrivedLater(event: ReceivedEvent, arrived: ReadonlySet<string>): boolean {
  if (event.type !== 'gap' || event.cause !== 'undelivered' || !event.sequences) return false;
  return event.sequences.every((sequence) => arrived.has(idOf(event, event.epoch, sequence)));
}

function startedAtOf(events: readonly ReceivedEvent[]): string | undefined {
  for (const event of events) {
    if (event.type === 'session.started' || event.type === 'session.resumed') return event.startedAt;
  }
  return undefined;
}

/** Where a later epoch follows an end all the same, the later one counts. */
function endOf(events: readonly ReceivedEvent[]): SessionTranscript['ended'] {
  const last = events.at(-1);
  const end = events.findLast((event) => event.epoch === last?.epoch && event.type === 'session.ended');
  return end?.type === 'session.ended' ? { outcome: end.outcome, reason: end.reason } : undefined;
}

/** Sequences count from 1 in each epoch, without a gap. */
function missingIn(events: readonly ReceivedEvent[], arrived: ReadonlySet<string>): string[] {
  const lastOfEpoch = new Map(events.map((event) => [event.epoch, event]));
  return [...lastOfEpoch].flatMap(([epoch, last]) =>
    Array.from({ length: last.sequence }, (_, at) => idOf(last, epoch, at + 1)).filter((id) => !arrived.has(id)),
  );
}

function idOf({ sessionId }: ReceivedEvent, epoch: number, sequence: number): string {
  return eventId(sessionId, epoch, sequence);
}

/** The transcript for people to read. */
export function asText(transcripts: readonly SessionTranscript[]): string {
  return transcripts.map((each) => `${[headOf(each), ...each.lines.map(textOf)].join('\n')}\n`).join('\n');
}

function headOf({ sessionId, startedAt, ended, missing }: SessionTranscript): string {
  const state = ended ? `${ended.outcome} (${ended.reason})` : 'not ended';
  const late = missing.length === 0 ? '' : `, ${missing.length} events missing`;
  return `session ${sessionId}, ${startedAt ?? 'start unknown'}, ${state}${late}`;
}

function textOf(line: Line): string {
  const time = `${clockTime(line.startMs)}-${clockTime(line.endMs)}`;
  if (line.type === 'speech') return `${time} ${line.speaker}: ${line.text}`;
  const whose = line.speakers.length === SPEAKERS.length ? '' : ` of ${line.speakers.join(', ')}`;
  return `${time} [missing${whose}: ${line.cause}]`;
}

/** `1:02:03.4` */
function clockTime(ms: number): string {
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60];
  const whole = [Math.floor(hours), String(Math.floor(minutes)).padStart(2, '0')].join(':');
  return `${whole}:${(Math.floor(seconds * 10) / 10).toFixed(1).padStart(4, '0')}`;
}
