import { OURS } from '../kinesis/stream.ts';
import { element, elementStart, sizeField, UNKNOWN_SIZE, unsigned } from '../simulators/kinesis-video/ebml.ts';
import { fragmentHead, openCluster, producerTags, simpleBlock } from '../simulators/kinesis-video/mkv.ts';

/** A stream that never ends its fragment and would make whoever keeps something of each element keep ever more. */
export interface HostileStream {
  readonly name: string;
  readonly head: Buffer;
  /** Comes over and over after the head. */
  readonly unit: (nth: number) => Buffer;
  /** The aligner is behind the filter as well. */
  readonly isAligned?: boolean;
}

const TRACK = 1;
const TRACK_NAME = 'AUDIO_FROM_CUSTOMER';
const FACTS = { number: '1', serverMs: 1, producerMs: 1 };
const NOTHING = Buffer.alloc(0);
/** A network's chunk, about. */
const CHUNK_BYTES = 65_536;
/** Small next to a chunk, large next to an element: chunks are put together of it quickly. */
const REPEATED_BYTES = 8192;
/** As long as a chunk together with a block: one block in each chunk. */
const VOID_BYTES = CHUNK_BYTES - 64;

const segment = Buffer.concat([element('EBML', 1), elementStart('Segment', UNKNOWN_SIZE)]);
const head = (tags?: Buffer) =>
  Buffer.concat([fragmentHead(FACTS, [{ number: TRACK, name: TRACK_NAME }], tags), openCluster(0, UNKNOWN_SIZE)]);
const nobody = head();
const ours = head(producerTags([['ContactId', OURS]]));
const inTracks = Buffer.concat([segment, elementStart('Tracks', UNKNOWN_SIZE)]);
const inTag = Buffer.concat([segment, elementStart('Tags', UNKNOWN_SIZE), elementStart('Tag', UNKNOWN_SIZE)]);

/** The same bytes over and over, some thousands at a time. */
function again(bytes: Buffer): () => Buffer {
  const many = Buffer.alloc(bytes.length * Math.ceil(REPEATED_BYTES / bytes.length), bytes);
  return () => many;
}

const audio = simpleBlock(TRACK, 0, Buffer.alloc(1024, 'audio'));
const brokenOff = Buffer.concat([
  elementStart('SimpleBlock', sizeField(256 * 1024, 8)),
  Buffer.alloc(1000, 0x81),
  element('EBML', 1),
]);
const farApart = Buffer.concat([simpleBlock(TRACK, 0, Buffer.alloc(8)), element('Void', 4, Buffer.alloc(VOID_BYTES))]);
/** A cluster of its own, so that its time does not depend on the 16 bits of a block's offset. */
const backInTime = (nth: number) => Buffer.concat([openCluster(1e9 - nth, UNKNOWN_SIZE), audio]);
const trackEntry = (nth: number) =>
  element(
    'TrackEntry',
    1,
    element('TrackNumber', 1, unsigned(nth + 1, 8)),
    element('Name', 1, Buffer.from(TRACK_NAME)),
  );

export const HOSTILE_STREAMS: readonly HostileStream[] = [
  { name: 'nothing but zeros', head: NOTHING, unit: again(Buffer.alloc(1024)) },
  { name: 'beginnings of EBML headers', head: NOTHING, unit: again(Buffer.from('1a45df', 'hex')) },
  { name: 'EBML headers', head: NOTHING, unit: again(element('EBML', 1)) },
  { name: 'segments', head: segment, unit: again(elementStart('Segment', UNKNOWN_SIZE)) },
  { name: 'clusters', head: segment, unit: again(openCluster(0, UNKNOWN_SIZE)) },
  { name: 'elements that break off', head: ours, unit: again(brokenOff) },
  { name: 'tags', head: inTag, unit: again(element('SimpleTag', 4, element('TagName', 4, Buffer.alloc(5000, 'n')))) },
  { name: 'track entries', head: inTracks, unit: trackEntry },
  { name: 'audio of nobody', head: nobody, unit: again(audio) },
  { name: 'empty blocks of nobody', head: nobody, unit: again(simpleBlock(TRACK, 0, NOTHING)) },
  { name: 'short blocks of nobody, far apart', head: nobody, unit: () => farApart },
  { name: 'audio of ours in one fragment without an end', head: ours, unit: again(audio) },
  { name: 'one track whose clock stands still', head: ours, unit: again(audio), isAligned: true },
  { name: 'one track whose clock goes back', head: ours, unit: backInTime, isAligned: true },
];

/** The stream's first `bytes`, about, in chunks each of which has memory of its own. */
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
