import { type FinalTranscript, SPEAKERS, type Word } from '../../contract/events.ts';
import { type ChannelTimes, NOTHING_SAID, type RelayState } from '../event-log.ts';
import { LastWords } from '../last-words.ts';
import type { SinkName } from '../sink.ts';
import {
  type DeliveredSession,
  type EventHead,
  FINAL,
  type FileContent,
  lineOf,
  type Place,
  type SpoolLine,
  stateLine,
  type Undelivered,
} from './record.ts';

/** How far a sink has got. */
interface Acknowledged {
  readonly place: Place;
  readonly finalMs: ChannelTimes;
}

/** What the disk has of a session. */
export interface RecoveredSession {
  readonly session: DeliveredSession;
  /** The latest event; [0, 0] before the first. */
  readonly last: Place;
  /** True after `session.ended`. */
  readonly hasEnded: boolean;
  /** It ended because its process did. */
  readonly isInterrupted: boolean;
  readonly state: RelayState | undefined;
  readonly acknowledged: Readonly<Partial<Record<SinkName, Acknowledged>>>;
  readonly undelivered: Undelivered | undefined;
  /** Events that some sink has not acknowledged, in order. */
  readonly events: readonly { readonly head: EventHead; readonly json: Buffer }[];
  /** True if later events may be missing: the machine was booted since, the disk failed, or a file cannot be read. */
  readonly isStale: boolean;
}

/** Orders places; negative if `one` comes first. */
export function comparePlaces([epoch, sequence]: Place, [otherEpoch, otherSequence]: Place): number {
  return epoch - otherEpoch || sequence - otherSequence;
}

/** What one or more files have of a session. */
interface Found {
  session: DeliveredSession | undefined;
  last: Place;
  hasEnded: boolean;
  isInterrupted: boolean;
  state: RelayState | undefined;
  acknowledged: Partial<Record<SinkName, Acknowledged>>;
  undelivered: Undelivered | undefined;
  readonly events: Map<string, SpoolLine & { readonly head: EventHead }>;
  /** Keys of events that had to make room. */
  readonly dropped: Set<string>;
  /** The latest epoch in a file that may lack later events; -1 without such a file. */
  staleEpoch: number;
  isDone: boolean;
}

function nothingFound(): Found {
  return {
    session: undefined,
    last: [0, 0],
    hasEnded: false,
    isInterrupted: false,
    state: undefined,
    acknowledged: {},
    undelivered: undefined,
    events: new Map(),
    dropped: new Set(),
    staleEpoch: -1,
    isDone: false,
  };
}

/** The lines of any number of files, put together per session. */
export class Merged {
  readonly #found = new Map<string, Found>();

  get ids(): string[] {
    return [...this.#found.keys()];
  }

  /**
   * Adds a file. Of what only grows the order of files does not matter; a file that was begun later should come later.
   * @param isStale true if later events of its sessions may be missing
   * @param boot this boot of the machine: a file of another one is stale
   */
  add({ lines, unreadableBytes }: FileContent, isStale: boolean, boot: string): void {
    const parts = new Map<string, Found>();
    let written: string | undefined;
    for (const line of lines) {
      const { record } = line;
      if (record.kind === 'boot') {
        written = record.boot;
        continue;
      }
      addTo(foundIn(parts, record.kind === 'session' ? record.session.sessionId : record.sessionId), line);
    }
    for (const [sessionId, part] of parts) {
      // Later events may have been in what cannot be read.
      if (isStale || unreadableBytes > 0 || written !== boot) part.staleEpoch = part.last[0];
      merge(part, foundIn(this.#found, sessionId));
    }
  }

  /** Adds what other files have of the session. */
  addSession(sessionId: string, others: Merged): void {
    const part = others.#found.get(sessionId);
    if (part) merge(part, foundIn(this.#found, sessionId));
  }

  /** Undefined if nothing is left of it. */
  session(sessionId: string): RecoveredSession | undefined {
    const found = this.#found.get(sessionId);
    if (!found?.session || found.isDone) return undefined;
    const { session, last, hasEnded, isInterrupted, state, acknowledged, undelivered, staleEpoch } = found;
    const left = leastOf(session, acknowledged);
    const events = [...found.events.values()]
      .filter(({ head }) => comparePlaces(placeOf(head), left) > 0 && !found.dropped.has(keyOf(head)))
      .map(({ head, body }) => ({ head, json: body }))
      .sort((one, other) => comparePlaces(placeOf(one.head), placeOf(other.head)));
    // A later epoch does not depend on what the earlier one still numbered.
    const isStale = staleEpoch >= last[0];
    return { session, last, hasEnded, isInterrupted, state, acknowledged, undelivered, isStale, events };
  }

  /** The lines of a session's own file. One that is stale is of no boot, so that it stays so. */
  linesOf(sessionId: string, boot: string): SpoolLine[] {
    const found = this.session(sessionId);
    return found ? [lineOf({ kind: 'boot', boot: found.isStale ? '' : boot }), ...sessionLines(found)] : [];
  }
}

function foundIn(all: Map<string, Found>, sessionId: string): Found {
  let found = all.get(sessionId);
  if (!found) {
    found = nothingFound();
    all.set(sessionId, found);
  }
  return found;
}

function addTo(found: Found, { record, body }: SpoolLine): void {
  switch (record.kind) {
    case 'session':
      found.session = record.session;
      break;
    case 'event':
      // A frame's memory is shared by its lines.
      found.events.set(keyOf(record), { record, head: record, body: Buffer.from(body) });
      if (record.type === FINAL) noteFinal(found, record, body);
      break;
    case 'state':
      if (comparePlaces(record.place, found.last) < 0) break;
      found.last = record.place;
      found.hasEnded = record.hasEnded;
      found.isInterrupted = record.isInterrupted ?? false;
      found.state = record.state;
      break;
    case 'acknowledged': {
      const { sink, place, finalMs } = record;
      noteAcknowledged(found, sink, { place, finalMs });
      break;
    }
    case 'dropped':
      for (const sequence of record.sequences) found.dropped.add(keyOf({ epoch: record.epoch, sequence }));
      break;
    case 'undelivered':
      found.undelivered = record.events;
      break;
    case 'done':
      found.isDone = true;
      break;
  }
}

/** What a final says of the call, as no state follows it. */
function noteFinal(found: Found, head: EventHead, json: Buffer): void {
  if (comparePlaces(placeOf(head), found.last) <= 0) return;
  const { speaker, words } = JSON.parse(json.toString()) as Pick<FinalTranscript, 'speaker' | 'words'>;
  const { lastWords, finals } = found.state ?? NOTHING_SAID;
  const channel = SPEAKERS.indexOf(speaker);
  const spoken = new LastWords(lastWords[channel] ?? []);
  spoken.add(words);
  const next = lastWords.with(channel, spoken.words) as [Word[], Word[]];
  found.last = placeOf(head);
  found.state = { finalMs: head.finalMs, lastWords: next, finals: finals + 1 };
}

function noteAcknowledged(found: Found, sink: SinkName, acknowledged: Acknowledged): void {
  const before = found.acknowledged[sink];
  if (!before || comparePlaces(before.place, acknowledged.place) < 0) found.acknowledged[sink] = acknowledged;
}

/** Adds what one file has of a session to what others have. */
function merge(part: Found, total: Found): void {
  total.session ??= part.session;
  if (comparePlaces(part.last, total.last) >= 0) {
    total.last = part.last;
    total.hasEnded = part.hasEnded;
    total.isInterrupted = part.isInterrupted;
    total.state = part.state ?? total.state;
    total.undelivered = part.undelivered;
  }
  for (const sink of Object.keys(part.acknowledged) as SinkName[]) {
    noteAcknowledged(total, sink, part.acknowledged[sink] as Acknowledged);
  }
  for (const [key, event] of part.events) total.events.set(key, event);
  for (const key of part.dropped) total.dropped.add(key);
  total.staleEpoch = Math.max(total.staleEpoch, part.staleEpoch);
  total.isDone ||= part.isDone;
}

/** How far every sink of the session has acknowledged. */
function leastOf({ webhook, stream }: DeliveredSession, acknowledged: Found['acknowledged']): Place {
  const sinks: SinkName[] = [...(webhook === undefined ? [] : ['webhook' as const])];
  if (stream !== 'none') sinks.push('stream');
  const places = sinks.map((sink): Place => acknowledged[sink]?.place ?? [0, 0]);
  return places.sort(comparePlaces)[0] ?? [Infinity, 0];
}

function keyOf({ epoch, sequence }: Pick<EventHead, 'epoch' | 'sequence'>): string {
  return `${epoch}_${sequence}`;
}

function placeOf({ epoch, sequence }: EventHead): Place {
  return [epoch, sequence];
}

/** All that the disk has to know of a session. */
export function sessionLines(found: Omit<RecoveredSession, 'isStale'>): SpoolLine[] {
  const { session, last, hasEnded, isInterrupted, state, acknowledged, undelivered, events } = found;
  const { sessionId } = session;
  const lines = [lineOf({ kind: 'session', session })];
  for (const sink of Object.keys(acknowledged) as SinkName[]) {
    const { place, finalMs } = acknowledged[sink] as Acknowledged;
    lines.push(lineOf({ kind: 'acknowledged', sessionId, sink, place, finalMs }));
  }
  // Before the events, so that what finals say of the call is not read from each of them.
  lines.push(stateLine({ sessionId, place: last, hasEnded, isInterrupted, state }));
  for (const { head, json } of events) {
    const { epoch, sequence, type, atEpochMs, finalMs } = head;
    lines.push(lineOf({ kind: 'event', sessionId, epoch, sequence, type, atEpochMs, finalMs }, json));
  }
  if (undelivered) lines.push(lineOf({ kind: 'undelivered', sessionId, events: undelivered }));
  return lines;
}
