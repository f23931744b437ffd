import { OURS } from '../kinesis/stream.ts';
import { element, elementStart, sizeField, UNKNOWN_SIZE, unsigned } from '../simulators/kinesis-video/ebml.ts';
import { fragmentHead, openCluster, producerTags, simpleBlock } from '../simulators/kinesis-video/mkv.ts';

/** An endless fragment: memory would grow with anything kept per element. */
export interface HostileStream {
  readonly name: string;
  readonly head: Buffer;
  /** Repeated after the head. */
  readonly unit: (nth: number) => Buffer;
  /** Whether the aligner is tested too. */
  readonly isAligned?: boolean;
}

const TRACK = 1;
const TRACK_NAME = 'AUDIO_FROM_CUSTOMER';
const FACTS = { number: '1', serverMs: 1, producerMs: 1 };
const NOTHING = Buffer.alloc(0);
/** About a network's chunk. */
const CHUNK_BYTES = 65_536;
/** Smaller than a chunk and larger than an element, so that chunks are assembled quickly. */
const REPEATED_BYTES = 8192;
/** Together with a block as long as a chunk: one block in each chunk. */
const VOID_BYTES = CHUNK_BYTES - 64;

const segment = Buffer.concat([element('EBML', 1), elementStart('Segment', UNKNOWN_SIZE)]);
const head = (tags?: Buffer) =>
  Buffer.concat([fragmentHead(FACTS, [{ number: TRACK, name: TRACK_NAME }], tags), openCluster(0, UNKNOWN_SIZE)]);
const untagged = head();
const ours = head(producerTags([['ContactId', OURS]]));
const inTracks = Buffer.concat([segment, elementStart('Tracks', UNKNOWN_SIZE)]);
const inTag = Buffer.concat([segment, elementStart('Tags', UNKNOWN_SIZE), elementStart('Tag', UNKNOWN_SIZE)]);

/** The same bytes repeated, some thousands at a time. */
function repeated(bytes: Buffer): () => Buffer {
  const many = Buffer.alloc(bytes.length * Math.ceil(REPEATED_BYTES / bytes.length), bytes);
  return () => many;
}

const audio = simpleBlock(TRACK, 0, Buffer.alloc(1024, 'audio'));
const truncated = Buffer.concat([
  elementStart('SimpleBlock', sizeField(256 * 1024, 8)),
  Buffer.alloc(1000, 0x81),
  element('EBML', 1),
]);
const farApart = Buffer.concat([simpleBlock(TRACK, 0, Buffer.alloc(8)), element('Void', 4, Buffer.alloc(VOID_BYTES))]);
/** In its own cluster, because a block's offset has only 16 bits. */
const backInTime = (nth: number) => Buffer.concat([openCluster(1e9 - nth, UNKNOWN_SIZE), audio]);
const trackEntry = (nth: number) =>
  element(
    'TrackEntry',
    1,
    element('TrackNumber', 1, unsigned(nth + 1, 8)),
    element('Name', 1, Buffer.from(TRACK_NAME)),
  );

export const HOSTILE_STREAMS: readonly HostileStream[] = [
  { name: 'nothing but zeros', head: NOTHING, unit: repeated(Buffer.alloc(1024)) },
  { name: 'beginnings of EBML headers', head: NOTHING, unit: repeated(Buffer.from('1a45df', 'hex')) },
  { name: 'EBML headers', head: NOTHING, unit: repeated(element('EBML', 1)) },
  { name: 'segments', head: segment, unit: repeated(elementStart('Segment', UNKNOWN_SIZE)) },
  { name: 'clusters', head: segment, unit: repeated(openCluster(0, UNKNOWN_SIZE)) },
  { name: 'truncated elements', head: ours, unit: repeated(truncated) },
  {
    name: 'tags',
    head: inTag,
    unit: repeated(element('SimpleTag', 4, element('TagName', 4, Buffer.alloc(5000, 'n')))),
  },
  { name: 'track entries', head: inTracks, unit: trackEntry },
  { name: 'untagged audio', head: untagged, unit: repeated(audio) },
  { name: 'untagged empty blocks', head: untagged, unit: repeated(simpleBlock(TRACK, 0, NOTHING)) },
  { name: 'untagged short blocks, far apart', head: untagged, unit: () => farApart },
  { name: 'our audio in one endless fragment', head: ours, unit: repeated(audio) },
  { name: 'one track whose clock stands still', head: ours, unit: repeated(audio), isAligned: true },
  { name: 'one track whose clock goes back', head: ours, unit: backInTime, isAligned: true },
];

/** About the first `bytes` of the stream; each chunk has its own memory. */
export function* chunksOf({ head, unit }: HostileStream, bytes: number): Generator<Uint8Array> {
  yield Buffer.from(head);
  for (let nth = 0, sent = 0; sent < bytes; ) {
    const units: Buffer[] = [];
    let length = 0;
    while (length < CHUNK_BYTES) {
      const next = unit(nth++);
      units.push(next);
      length += next.length;
    }
    const chunk = new Uint8Array(length);
    let at = 0;
    for (const one of units) {
      chunk.set(one, at);
      at += one.length;
    }
    sent += length;
    yield chunk;
  }
}
