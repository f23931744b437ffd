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

const HEAD = Buffer.concat([
  fragmentHead(
    { number: NUMBER, serverMs: SERVER_MS, producerMs: PRODUCER_MS },
    TRACKS,
    producerTags([
      ['ContactId', CONTACT_ID],
      ['InstanceId', '10ad10ad-0000-4000-9000-000000000000'],
      ['MimeType', 'audio/L16;rate=8000;channels=1;'],
      ...TRACKS.map(({ name, number }) => [name, String(number)] as const),
      ['Events', '[]'],
    ]),
  ),
  openCluster(TIMECODE_MS, UNKNOWN_SIZE),
]);
const TAIL = fragmentTail(NUMBER, 0);

const CONTACT_ID_AT = HEAD.indexOf(CONTACT_ID);
const NUMBER_AT = HEAD.indexOf(NUMBER);
const SERVER_AT = HEAD.indexOf(seconds(SERVER_MS));
const PRODUCER_AT = HEAD.indexOf(seconds(PRODUCER_MS));
const TIMECODE_AT = HEAD.indexOf(bigEndian(TIMECODE_MS));
const TOKEN_AT = TAIL.indexOf(NUMBER);

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
const FIRST = frameOf(HEAD.length + PAIR_BYTES);
const MIDDLE = frameOf(PAIR_BYTES);
const LAST = frameOf(PAIR_BYTES + TAIL.length);
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
}

/**
 * One block of both tracks as a chunk of a GetMedia body. The first block of a fragment includes its head (EBML header,
 * Segment, Tracks, tags), the last one its tail (the tags with the continuation token).
 * @param saidAtMs when it is put on the stream, on the clock of `monotonicMs`
 */
export function blockChunk({ call, contactId, beganAtEpochMs }: Speaker, block: number, saidAtMs: number): Buffer {
  const inFragment = block % BLOCKS_PER_FRAGMENT;
  const isFirst = inFragment === 0;
  const isLast = inFragment === BLOCKS_PER_FRAGMENT - 1;
  const frame = isFirst ? FIRST : isLast ? LAST : MIDDLE;
  const chunk = Buffer.allocUnsafe(frame.bytes);
  let at = frame.start.copy(chunk);
  if (isFirst || isLast) {
    const fragment = 1 + Math.floor(block / BLOCKS_PER_FRAGMENT);
    const number = fragmentNumberOf(call, fragment);
    const startMs = beganAtEpochMs + (block - inFragment) * BLOCK_MS;
    if (isFirst) at += writeHead(chunk, at, number, contactId, startMs);
    else writeTail(chunk, at + PAIR_BYTES, number);
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

function writeHead(chunk: Buffer, at: number, number: string, contactId: string, startMs: number): number {
  HEAD.copy(chunk, at);
  chunk.write(number, at + NUMBER_AT, 'latin1');
  chunk.write(contactId, at + CONTACT_ID_AT, 'latin1');
  chunk.write(seconds(startMs), at + SERVER_AT, 'latin1');
  chunk.write(seconds(startMs), at + PRODUCER_AT, 'latin1');
  chunk.writeBigUInt64BE(BigInt(startMs), at + TIMECODE_AT);
  return HEAD.length;
}

function writeTail(chunk: Buffer, at: number, number: string): void {
  TAIL.copy(chunk, at);
  chunk.write(number, at + TOKEN_AT, 'latin1');
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
