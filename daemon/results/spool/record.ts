import type { NumberedContent } from '../../contract/events.ts';
import type { Sealing } from '../../secrets/sealing.ts';
import type { ChannelTimes, RelayState } from '../event-log.ts';
import type { SinkName, SinkSession } from '../sink.ts';

/** What delivery needs to know of a session; it never changes. */
export interface DeliveredSession extends SinkSession {
  /** Wall time of call time 0. */
  readonly timeZeroEpochMs: number;
}

/** A numbered event without its JSON, which follows in the file as it is. */
export interface EventHead {
  readonly epoch: number;
  readonly sequence: number;
  readonly type: string;
  readonly atEpochMs: number;
  /** What of the call is final with this event, per channel. */
  readonly finalMs: ChannelTimes;
}

/** The type of a final among numbered events. */
export const FINAL = 'transcript' satisfies NumberedContent['type'];

/** A place in a session's numbered events. */
export type Place = readonly [epoch: number, sequence: number];

/** Events that a consumer did not get, until a `gap` event says so. */
export interface Undelivered {
  readonly sequences: readonly number[];
  readonly startMs: number;
  readonly endMs: number;
  readonly speakers: readonly string[];
}

/** What the events up to a place have said. */
interface StateRecord {
  readonly sessionId: string;
  readonly place: Place;
  readonly hasEnded: boolean;
  /** It ended because its process did: another one may continue it in the next epoch. */
  readonly isInterrupted?: boolean | undefined;
  /** Undefined before the first event. */
  readonly state?: RelayState | undefined;
}

/**
 * A line of a spool. Several files about one session can be read in any order: events have numbers, acknowledgments only
 * grow, and the state of the latest event counts, with the finals that follow it in its file.
 */
export type SpoolRecord =
  /** First line of a file: the boot and the format that it was written in. */
  | { readonly kind: 'boot'; readonly boot: string }
  | { readonly kind: 'session'; readonly session: DeliveredSession }
  | ({ readonly kind: 'event'; readonly sessionId: string } & EventHead)
  | ({ readonly kind: 'state' } & StateRecord)
  | {
      readonly kind: 'acknowledged';
      readonly sessionId: string;
      readonly sink: SinkName;
      readonly place: Place;
      readonly finalMs: ChannelTimes;
    }
  /** These had to make room: they are dead letters, or lost. */
  | {
      readonly kind: 'dropped';
      readonly sessionId: string;
      readonly epoch: number;
      readonly sequences: readonly number[];
    }
  | { readonly kind: 'undelivered'; readonly sessionId: string; readonly events: Undelivered | undefined }
  /** Every event is delivered or a dead letter, and none follows. */
  | { readonly kind: 'done'; readonly sessionId: string };

/**
 * Changes with what records mean. A file of another format counts as one of another boot: a version of before or after
 * may not understand all of it, so its sessions continue in the next epoch. 2: finals have no state of their own.
 */
const FORMAT = 2;

/** What the first line of a file says: another boot of the machine, or another format, cannot continue its epochs. */
export function writtenIn(boot: string): string {
  return `${boot}/${FORMAT}`;
}

/** A record, and an event's JSON. */
export interface SpoolLine {
  readonly record: SpoolRecord;
  readonly body: Buffer;
}

const MAGIC = Buffer.from('IRE1');
const FRAME_HEAD_BYTES = 8;
/** Before a line: how many bytes its record and its body have. */
export const LINE_HEAD_BYTES = 8;
const NONE = Buffer.alloc(0);

/** @param body an event's JSON, which follows its record as it is */
export function lineOf(record: SpoolRecord, body: Buffer = NONE): SpoolLine {
  return { record, body };
}

/** What the events so far have said: written with each, unless it is a final, which says itself what it changes. */
export function stateLine({ state, ...rest }: StateRecord): SpoolLine {
  // The state may be computed by a relay, whose getters JSON would leave out.
  const said = state && { finalMs: state.finalMs, lastWords: state.lastWords, finals: state.finals };
  return lineOf({ kind: 'state', ...rest, state: said });
}

/** A frame's bytes, in parts. */
interface Frame {
  readonly parts: readonly Buffer[];
  readonly bytes: number;
}

/** Lines written and sealed together: a crash leaves all of them or none. */
export function frameOf(lines: Buffer, sealing: Sealing): Frame {
  const sealed = sealing.sealInParts(lines);
  const sealedBytes = sealed.reduce((sum, { length }) => sum + length, 0);
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  head.set(MAGIC, 0);
  head.writeUInt32BE(sealedBytes, 4);
  return { parts: [head, ...sealed], bytes: FRAME_HEAD_BYTES + sealedBytes };
}

/** What could be read of a file of frames. */
export interface FileContent {
  readonly lines: readonly SpoolLine[];
  /** Bytes of an incomplete last frame: a write that a crash interrupted. No event in it was sent. */
  readonly tornBytes: number;
  /** Other bytes that are no frame which a key opens: sent events may be in them. */
  readonly unreadableBytes: number;
}

/** Reads all whole frames, also behind bytes that are none, and ignores a torn tail. */
export function readFrames(bytes: Buffer, sealing: Sealing): FileContent {
  const lines: SpoolLine[] = [];
  let unreadableBytes = 0;
  let at = 0;
  while (at < bytes.length) {
    const frame = openedAt(bytes, at, sealing);
    const nextAt = frame?.endAt ?? bytes.indexOf(MAGIC, at + 1);
    if (frame) for (const line of frame.lines) lines.push(line);
    else if (nextAt < 0 && isTorn(bytes.subarray(at))) break;
    const endAt = nextAt < 0 ? bytes.length : nextAt;
    if (!frame) unreadableBytes += endAt - at;
    at = endAt;
  }
  return { lines, tornBytes: bytes.length - at, unreadableBytes };
}

/** The lines of the frame at this place; undefined if no key opens one. */
function openedAt(bytes: Buffer, at: number, sealing: Sealing): { lines: SpoolLine[]; endAt: number } | undefined {
  const sealedAt = at + FRAME_HEAD_BYTES;
  if (sealedAt > bytes.length || !isMagic(bytes.subarray(at, at + MAGIC.length))) return undefined;
  const endAt = sealedAt + bytes.readUInt32BE(at + MAGIC.length);
  if (endAt > bytes.length) return undefined;
  try {
    return { lines: linesIn(sealing.open(bytes.subarray(sealedAt, endAt))), endAt };
  } catch {
    return undefined;
  }
}

/** True for the beginning of a frame that is longer than this. */
function isTorn(tail: Buffer): boolean {
  if (!isMagic(tail.subarray(0, MAGIC.length))) return false;
  return tail.length < FRAME_HEAD_BYTES || FRAME_HEAD_BYTES + tail.readUInt32BE(MAGIC.length) > tail.length;
}

/** @param bytes at the end of a file only the first ones of the magic */
function isMagic(bytes: Buffer): boolean {
  return bytes.equals(MAGIC.subarray(0, bytes.length));
}

function linesIn(frame: Buffer): SpoolLine[] {
  const lines: SpoolLine[] = [];
  for (let at = 0; at < frame.length; ) {
    const textAt = at + LINE_HEAD_BYTES;
    const bodyAt = textAt + frame.readUInt32BE(at);
    const endAt = bodyAt + frame.readUInt32BE(at + 4);
    const record = JSON.parse(frame.toString('utf8', textAt, bodyAt)) as SpoolRecord;
    lines.push({ record, body: frame.subarray(bodyAt, endAt) });
    at = endAt;
  }
  return lines;
}
