import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { UNKNOWN_SIZE, UNKNOWN_SIZE_SHORT } from '../simulators/kinesis-video/ebml.ts';
import {
  cluster,
  fragmentHead,
  fragmentTail,
  openCluster,
  producerTags,
  simpleBlock,
} from '../simulators/kinesis-video/mkv.ts';

export const OURS = 'contact-of-ours';
export const CONTACT = { contactId: OURS, streamArn: 'arn:of-the-stream', start: { fragmentNumber: '0' } };
export const CUSTOMER_TRACK = 1;
const NOTHING = Buffer.alloc(0);
export const AGENT_TRACK = 2;

const tracksOf = (agentTrack: string) => [
  { number: CUSTOMER_TRACK, name: 'AUDIO_FROM_CUSTOMER' },
  { number: AGENT_TRACK, name: agentTrack },
];

/** A block to write. */
export interface TestBlock {
  readonly track: number;
  readonly offsetMs: number;
  readonly pcm: Uint8Array;
}

export interface TestFragment {
  readonly number: number | string;
  readonly contactId?: string | undefined;
  /** `both`, as Connect does. */
  readonly tagAt?: 'before' | 'after' | 'both';
  readonly segmentUid?: string;
  readonly producerMs?: number;
  /** Bytes before the cluster, and between its blocks. */
  readonly beforeCluster?: Buffer;
  readonly betweenBlocks?: Buffer;
  readonly size?: 'known' | 'unknown' | 'unknown-short';
  readonly timecodeMs?: number;
  /** The name of that track. */
  readonly agentTrack?: string;
  readonly blocks?: readonly TestBlock[];
}

/** A block of a few samples that are different for each seed. */
export function block(seed: number, offsetMs = 0, track = CUSTOMER_TRACK): TestBlock {
  return { track, offsetMs, pcm: bytesOf(distinctSamples(4, seed)) };
}

/** An element with that id, in hex, and with beginnings of EBML headers in it. */
export function longElement(id: string, bytes: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x1000_0000 + bytes);
  return Buffer.concat([Buffer.from(id, 'hex'), size, Buffer.alloc(bytes, '1a45dfa31a45df00', 'hex')]);
}

/** One fragment's bytes, as GetMedia sends them. */
export function fragment({
  number,
  contactId = OURS,
  tagAt = 'before',
  size = 'known',
  timecodeMs = 0,
  agentTrack = 'AUDIO_TO_CUSTOMER',
  segmentUid,
  producerMs = 1,
  beforeCluster = NOTHING,
  betweenBlocks = NOTHING,
  blocks = [block(Number(number))],
}: TestFragment): Buffer {
  const written = blocks.map(({ track, offsetMs, pcm }, i) =>
    Buffer.concat([i > 0 ? betweenBlocks : NOTHING, simpleBlock(track, offsetMs, Buffer.from(pcm))]),
  );
  const tags = contactId === '' ? NOTHING : producerTags([['ContactId', contactId]]);
  const body =
    size === 'known'
      ? cluster(timecodeMs, written)
      : Buffer.concat([openCluster(timecodeMs, size === 'unknown' ? UNKNOWN_SIZE : UNKNOWN_SIZE_SHORT), ...written]);
  return Buffer.concat([
    fragmentHead(
      { number: String(number), serverMs: producerMs, producerMs, segmentUid },
      tracksOf(agentTrack),
      tagAt === 'after' ? undefined : tags,
    ),
    beforeCluster,
    body,
    tagAt === 'before' ? NOTHING : tags,
    fragmentTail(String(number), 0),
  ]);
}
