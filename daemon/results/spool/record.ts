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
  /** First line of a file: the boot it was written in. */
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

/** A record, and an event's JSON. */
export interface SpoolLine {
  readonly record: SpoolRecord;
  readonly body: Buffer;
}

const MAGIC = 0x49524531;
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
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(sealedBytes, 4);
  return { parts: [head, ...sealed], bytes: FRAME_HEAD_BYTES + sealedBytes };
}

/** What could be read of a file of frames. */
export interface FileContent {
  readonly lines: readonly SpoolLine[];
  /** Bytes of an incomplete last frame: a write that a crash interrupted. */
  readonly tornBytes: number;
  /** Bytes of whole frames that no key opens. */
  readonly unreadableBytes: number;
}

/** Reads all frames that are whole, and ignores a torn tail. */
export function readFrames(bytes: Buffer, sealing: Sealing): FileContent {
  const lines: SpoolLine[] = [];
  let unreadableBytes = 0;
  let at = 0;
  while (at + FRAME_HEAD_BYTES <= bytes.length && bytes.readUInt32BE(at) === MAGIC) {
    const endAt = at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at + 4);
    if (endAt > bytes.length) break;
    try {
      lines.push(...linesIn(sealing.open(bytes.subarray(at + FRAME_HEAD_BYTES, endAt))));
    } catch {
      unreadableBytes += endAt - at;
    }
    at = endAt;
  }
  return { lines, tornBytes: bytes.length - at, unreadableBytes };
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
