import { type FinalTranscript, SPEAKERS, type Word } from '../../contract/events.ts';
import { errorFields, type Log } from '../../log/log.ts';
import type { Sealing } from '../../secrets/sealing.ts';
import { type ChannelTimes, NOTHING_SAID, type RelayState } from '../event-log.ts';
import { LastWords } from '../last-words.ts';
import type { SinkName } from '../sink.ts';
import { type Folder, replaceFile } from './folder.ts';
import { LineBuffer } from './line-buffer.ts';
import {
  type DeliveredSession,
  type EventHead,
  FINAL,
  type FileContent,
  frameOf,
  lineOf,
  type Place,
  readFrames,
  type SpoolLine,
  stateLine,
  type Undelivered,
} from './record.ts';
import { SPOOL_SUFFIX, STALE_SUFFIX, UNFINISHED_SUFFIX } from './spool.ts';

/** A session's own file: what recovery found of it, until a thread takes it into its spool. */
const SESSION_SUFFIX = '.session';
/** A file that no key opens. */
const UNREADABLE_SUFFIX = '.unreadable';

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

interface RecoveryOptions {
  readonly folder: Folder;
  readonly boot: string;
  readonly sealing: Sealing;
  readonly log: Log;
}

/** Orders places; negative if `one` comes first. */
export function comparePlaces([epoch, sequence]: Place, [otherEpoch, otherSequence]: Place): number {
  return epoch - otherEpoch || sequence - otherSequence;
}

/**
 * Gives each session in the files of ended threads a file of its own, so that whichever thread continues it can take it
 * over, and removes the files of the threads. A crash at any moment leaves a state that can be read again.
 * Resolves with the ids of all sessions that have something left. Never rejects: what the disk refuses is logged.
 * @param threads names of the ended threads; undefined for all files, before any thread has one
 */
export async function splitSpools(options: RecoveryOptions, threads?: readonly string[]): Promise<string[]> {
  const { folder, log } = options;
  try {
    const names = await folder.list();
    const mine = (name: string) => !threads || threads.some((thread) => name.startsWith(`${thread}.spool`));
    const sources = names.filter((name) => mine(name) && (name.endsWith(SPOOL_SUFFIX) || name.endsWith(STALE_SUFFIX)));
    const contents = [];
    for (const name of sources) contents.push({ name, content: await contentOf(name, options) });
    const found = new Merged();
    // What a session's own file has is older than what a thread wrote after it took the file over.
    for (const sessionId of new Set(contents.flatMap(({ content }) => sessionIdsIn(content)))) {
      const name = `${sessionId}${SESSION_SUFFIX}`;
      if (names.includes(name)) found.add(await contentOf(name, options), false, options.boot);
    }
    for (const { name, content } of contents) found.add(content, name.endsWith(STALE_SUFFIX), options.boot);
    for (const sessionId of found.ids) await writeSession(found.linesOf(sessionId), sessionId, options);
    for (const name of sources) await folder.remove(name);
    if (!threads) {
      for (const name of names) if (name.endsWith(UNFINISHED_SUFFIX)) await folder.remove(name);
    }
    return threads ? found.ids : idsIn(await folder.list());
  } catch (error) {
    const fields = { event: 'results.spool-unreadable', directory: folder.path, ...errorFields(error) };
    log.error(fields, 'cannot read the undelivered events of an earlier process: they stay on disk');
    return [];
  }
}

/** What recovery found of a session; undefined if nothing. Never rejects. */
export async function readSession(sessionId: string, options: RecoveryOptions): Promise<RecoveredSession | undefined> {
  try {
    const found = new Merged();
    found.add(await contentOf(`${sessionId}${SESSION_SUFFIX}`, options), false, options.boot);
    return found.session(sessionId);
  } catch (error) {
    const fields = { event: 'results.spool-unreadable', sessionId, ...errorFields(error) };
    options.log.error(fields, 'cannot read the undelivered events of the session: they stay on disk');
    return undefined;
  }
}

/** Call this when another file has the session's lines. Never rejects. */
export async function removeSession(sessionId: string, { folder }: Pick<RecoveryOptions, 'folder'>): Promise<void> {
  await folder.remove(`${sessionId}${SESSION_SUFFIX}`).catch(() => {});
}

function idsIn(names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith(SESSION_SUFFIX)).map((name) => name.slice(0, -SESSION_SUFFIX.length));
}

async function contentOf(name: string, { folder, sealing, log }: RecoveryOptions): Promise<FileContent> {
  const bytes = await folder.read(name);
  if (!bytes) return { lines: [], tornBytes: 0, unreadableBytes: 0 };
  const content = readFrames(bytes, sealing);
  const { tornBytes, unreadableBytes, lines } = content;
  if (unreadableBytes > 0) {
    const fields = { event: 'results.spool-unreadable', file: name, bytes: unreadableBytes };
    log.error(fields, 'undelivered events of an earlier process were sealed with another key, or are corrupt');
    // For an operator who finds the key.
    if (lines.length === 0) await folder.rename(name, `${name}${UNREADABLE_SUFFIX}`);
  }
  if (tornBytes > 0) {
    log.info({ event: 'results.spool-torn', file: name, bytes: tornBytes }, 'ignored a write that a crash interrupted');
  }
  return content;
}

async function writeSession(lines: readonly SpoolLine[], sessionId: string, options: RecoveryOptions): Promise<void> {
  const { folder, sealing } = options;
  if (lines.length === 0) {
    await removeSession(sessionId, options);
    return;
  }
  const buffer = new LineBuffer();
  for (const line of lines) buffer.add(line);
  const { parts } = frameOf(buffer.take(), sealing);
  await replaceFile(folder, `${sessionId}${SESSION_SUFFIX}`, Buffer.concat(parts));
}

function sessionIdsIn({ lines }: FileContent): string[] {
  return lines.flatMap(({ record }) => (record.kind === 'session' ? [record.session.sessionId] : []));
}

/** How far every sink of the session has acknowledged. */
function leastOf({ webhook, stream }: DeliveredSession, acknowledged: Found['acknowledged']): Place {
  const sinks: SinkName[] = [...(webhook === undefined ? [] : ['webhook' as const])];
  if (stream !== 'none') sinks.push('stream');
  const places = sinks.map((sink): Place => acknowledged[sink]?.place ?? [0, 0]);
  return places.sort(comparePlaces)[0] ?? [Infinity, 0];
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
  boot: string | undefined;
  isStale: boolean;
  isDone: boolean;
}

/** The lines of any number of files, put together per session. */
class Merged {
  readonly #found = new Map<string, Found>();

  get ids(): string[] {
    return [...this.#found.keys()];
  }

  add({ lines, unreadableBytes }: FileContent, isStale: boolean, boot: string): void {
    let written: string | undefined;
    for (const line of lines) {
      const { record } = line;
      if (record.kind === 'boot') {
        written = record.boot;
        continue;
      }
      const found = this.#of(record.kind === 'session' ? record.session.sessionId : record.sessionId);
      found.boot = written;
      // Later events may have been in what cannot be read.
      found.isStale ||= isStale || unreadableBytes > 0 || written !== boot;
      addTo(found, line);
    }
  }

  session(sessionId: string): RecoveredSession | undefined {
    const found = this.#found.get(sessionId);
    if (!found?.session || found.isDone) return undefined;
    const { session, last, hasEnded, isInterrupted, state, acknowledged, undelivered, isStale } = found;
    const left = leastOf(session, acknowledged);
    const events = [...found.events.values()]
      .filter(({ head }) => comparePlaces(placeOf(head), left) > 0 && !found.dropped.has(keyOf(head)))
      .map(({ head, body }) => ({ head, json: body }))
      .sort((one, other) => comparePlaces(placeOf(one.head), placeOf(other.head)));
    return { session, last, hasEnded, isInterrupted, state, acknowledged, undelivered, isStale, events };
  }

  /** The lines of a session's own file. Its boot stays the one of the thread's file. */
  linesOf(sessionId: string): SpoolLine[] {
    const found = this.session(sessionId);
    const boot = this.#found.get(sessionId)?.isStale ? '' : this.#found.get(sessionId)?.boot;
    return found ? [lineOf({ kind: 'boot', boot: boot ?? '' }), ...sessionLines(found)] : [];
  }

  #of(sessionId: string): Found {
    let found = this.#found.get(sessionId);
    if (!found) {
      found = {
        session: undefined,
        last: [0, 0],
        hasEnded: false,
        isInterrupted: false,
        state: undefined,
        acknowledged: {},
        undelivered: undefined,
        events: new Map(),
        dropped: new Set(),
        boot: undefined,
        isStale: false,
        isDone: false,
      };
      this.#found.set(sessionId, found);
    }
    return found;
  }
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
      const before = found.acknowledged[sink];
      if (!before || comparePlaces(before.place, place) < 0) found.acknowledged[sink] = { place, finalMs };
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

function keyOf({ epoch, sequence }: Pick<EventHead, 'epoch' | 'sequence'>): string {
  return `${epoch}_${sequence}`;
}

function placeOf({ epoch, sequence }: EventHead): Place {
  return [epoch, sequence];
}

/** A session's lines for the rewritten file. */
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
