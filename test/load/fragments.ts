import { UNKNOWN_SIZE } from '../simulators/kinesis-video/ebml.ts';
import { fragmentHead, fragmentTail, openCluster, producerTags, simpleBlock } from '../simulators/kinesis-video/mkv.ts';
import { contactIdOf, fragmentNumberOf } from './identity.ts';
import { ticksOf } from './monotonic.ts';
import { BLOCK_BYTES, BLOCK_MS, monoPattern, PATTERNS, patternOf, type Track, writeMark } from './sound.ts';

/** About 1 s: 16 blocks of each track. */
export const BLOCKS_PER_FRAGMENT = 16;

const TRACKS = [
  { name: 'AUDIO_FROM_CUSTOMER', number: 1 },
  { name: 'AUDIO_TO_CUSTOMER', number: 2 },
] as const;

// Everything that differs between fragments has a fixed length, so it is built once and overwritten.
const CONTACT_ID = contactIdOf(0);
const NUMBER = fragmentNumberOf(0, 0);
const SERVER_MS = 1_111_111_111_111;
const PRODUCER_MS = 2_222_222_222_222;
const TIMECODE_MS = 3_333_333_333_333;

const FACTS = { number: NUMBER, serverMs: SERVER_MS, producerMs: PRODUCER_MS };
const CONNECT_TAGS = producerTags([
  ['ContactId', CONTACT_ID],
  ['InstanceId', '10ad10ad-0000-4000-9000-000000000000'],
  ['MimeType', 'audio/L16;rate=8000;channels=1;'],
  ...TRACKS.map(({ name, number }) => [name, String(number)] as const),
  ['Events', '[]'],
]);

/** Where a fragment has its ContactId, from the cluster: the audio of a fragment waits for it. */
export const TAG_PLACES = ['before', 'after'] as const;
export type TagPlace = (typeof TAG_PLACES)[number];

/** Both tracks' blocks of the same 64 ms, for each pattern; offsets and marks are overwritten. */
const PAIRS = Array.from({ length: PATTERNS }, (_, pattern) =>
  Buffer.concat(TRACKS.map(({ number }, track) => simpleBlock(number, 0, monoPattern(track as Track, pattern)))),
);
const PAIR_BYTES = PAIRS[0]?.length ?? 0;
const BLOCK_ELEMENT_BYTES = PAIR_BYTES / TRACKS.length;
const PCM_AT = BLOCK_ELEMENT_BYTES - BLOCK_BYTES;
/** A block's header ends with a 2-byte offset and 1 byte of flags. */
const OFFSET_AT = PCM_AT - 3;

/** The framing of a chunk of an HTTP body. */
interface Frame {
  readonly start: Buffer;
  readonly bytes: number;
}
const CRLF = '\r\n';
const MIDDLE = frameOf(PAIR_BYTES);

/** What comes before and after a fragment's blocks, and where in that its facts are; -1 if they are elsewhere. */
class Layout {
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly first: Frame;
  readonly last: Frame;
  readonly #at: Readonly<Record<'number' | 'server' | 'producer' | 'timecode' | 'contactId', number>>;
  readonly #tailAt: Readonly<Record<'token' | 'contactId', number>>;

  constructor(place: TagPlace) {
    const tags = place === 'before' ? CONNECT_TAGS : undefined;
    this.head = Buffer.concat([fragmentHead(FACTS, TRACKS, tags), openCluster(TIMECODE_MS, UNKNOWN_SIZE)]);
    this.tail = Buffer.concat([...(tags ? [] : [CONNECT_TAGS]), fragmentTail(NUMBER, 0)]);
    this.first = frameOf(this.head.length + PAIR_BYTES);
    this.last = frameOf(PAIR_BYTES + this.tail.length);
    this.#at = {
      number: this.head.indexOf(NUMBER),
      server: this.head.indexOf(seconds(SERVER_MS)),
      producer: this.head.indexOf(seconds(PRODUCER_MS)),
      timecode: this.head.indexOf(bigEndian(TIMECODE_MS)),
      contactId: this.head.indexOf(CONTACT_ID),
    };
    this.#tailAt = { token: this.tail.indexOf(NUMBER), contactId: this.tail.indexOf(CONTACT_ID) };
  }

  writeHead(chunk: Buffer, at: number, number: string, contactId: string, startMs: number): number {
    this.head.copy(chunk, at);
    chunk.write(number, at + this.#at.number, 'latin1');
    if (this.#at.contactId >= 0) chunk.write(contactId, at + this.#at.contactId, 'latin1');
    chunk.write(seconds(startMs), at + this.#at.server, 'latin1');
    chunk.write(seconds(startMs), at + this.#at.producer, 'latin1');
    chunk.writeBigUInt64BE(BigInt(startMs), at + this.#at.timecode);
    return this.head.length;
  }

  writeTail(chunk: Buffer, at: number, number: string, contactId: string): void {
    this.tail.copy(chunk, at);
    chunk.write(number, at + this.#tailAt.token, 'latin1');
    if (this.#tailAt.contactId >= 0) chunk.write(contactId, at + this.#tailAt.contactId, 'latin1');
  }
}

const LAYOUTS: Readonly<Record<TagPlace, Layout>> = { before: new Layout('before'), after: new Layout('after') };
/** The end of a chunked HTTP body. */
export const LAST_CHUNK = `0${CRLF}${CRLF}`;

/** The content of a chunk of an HTTP body. */
export function contentOf(chunk: Buffer): Buffer {
  return chunk.subarray(chunk.indexOf(CRLF) + CRLF.length, chunk.length - CRLF.length);
}

/** What a call's fragments say about it. */
export interface Speaker {
  readonly call: number;
  readonly contactId: string;
  /** Epoch milliseconds. */
  readonly beganAtEpochMs: number;
  readonly tagPlace: TagPlace;
}

/**
 * One block of both tracks as a chunk of a GetMedia body. The first block of a fragment includes its head (EBML header,
 * Segment, Tracks, tags), the last one its tail (the tags with the continuation token). Connect's tags are in either.
 * @param saidAtMs when it is put on the stream, on the clock of `monotonicMs`
 */
export function blockChunk(speaker: Speaker, block: number, saidAtMs: number): Buffer {
  const { call, contactId, beganAtEpochMs } = speaker;
  const layout = LAYOUTS[speaker.tagPlace];
  const inFragment = block % BLOCKS_PER_FRAGMENT;
  const isFirst = inFragment === 0;
  const isLast = inFragment === BLOCKS_PER_FRAGMENT - 1;
  const frame = isFirst ? layout.first : isLast ? layout.last : MIDDLE;
  const chunk = Buffer.allocUnsafe(frame.bytes);
  let at = frame.start.copy(chunk);
  if (isFirst || isLast) {
    const fragment = 1 + Math.floor(block / BLOCKS_PER_FRAGMENT);
    const number = fragmentNumberOf(call, fragment);
    const startMs = beganAtEpochMs + (block - inFragment) * BLOCK_MS;
    if (isFirst) at += layout.writeHead(chunk, at, number, contactId, startMs);
    else layout.writeTail(chunk, at + PAIR_BYTES, number, contactId);
  }
  const pcmAt = at + PCM_AT;
  at += (PAIRS[patternOf(call, block)] as Buffer).copy(chunk, at);
  const mark = { call, block, saidAtTicks: ticksOf(saidAtMs) };
  for (const track of [0, 1] as const) {
    const trackAt = track * BLOCK_ELEMENT_BYTES;
    chunk.writeInt16BE(inFragment * BLOCK_MS, pcmAt - PCM_AT + OFFSET_AT + trackAt);
    writeMark(chunk, pcmAt + trackAt, track, mark);
  }
  chunk.write(CRLF, chunk.length - CRLF.length, 'latin1');
  return chunk;
}

function frameOf(contentBytes: number): Frame {
  const start = Buffer.from(contentBytes.toString(16) + CRLF, 'latin1');
  return { start, bytes: start.length + contentBytes + CRLF.length };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function bigEndian(ms: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(ms));
  return bytes;
}
