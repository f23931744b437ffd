/** A side of the phone call. */
export type Side = 'customer' | 'agent';

/** One direction of a call, as PCM: 16-bit little-endian, 8 kHz, mono. */
export interface Voice {
  readonly side: Side;
  readonly pcm: Buffer;
  /** Repetitions of the PCM. */
  readonly times: number;
  /** Start of this track in the call. */
  readonly startsAtMs: number;
}

/** Bytes of a voice, including repetitions. */
export function voiceBytes({ pcm, times }: Voice): number {
  return pcm.length * times;
}

/** A block on the call's own clock. */
export interface Block {
  readonly side: Side;
  readonly startMs: number;
  readonly endMs: number;
  readonly pcm: Buffer;
}

/** The blocks that start within one fragment; never empty. */
export interface Cut {
  readonly startMs: number;
  readonly endMs: number;
  readonly blocks: readonly Block[];
}

/** 16-bit samples at 8 kHz (daemon/kinesis/README.md). */
export const BYTES_PER_MS = 16;
/** A block is 512 samples, 64 ms (daemon/kinesis/README.md). */
const BLOCK_BYTES = 1024;
/** The odd block near the end: 350 samples, not a whole number of milliseconds. */
const ODD_BLOCK_BYTES = 700;
/** "one block of another size, followed by a few more normal ones" (daemon/kinesis/README.md). */
const BLOCKS_AFTER_ODD = 3;

/** Cuts the voices into fragments of `fragmentMs`. A track's blocks add up to its PCM. */
export function* cutIntoFragments(voices: readonly Voice[], fragmentMs: number, oddBlock: boolean): Generator<Cut> {
  let blocks: Block[] = [];
  let windowEndMs = fragmentMs;
  for (const block of inOrderOfTime(voices.map((voice) => blocksOf(voice, oddBlock)))) {
    if (block.startMs >= windowEndMs && blocks.length > 0) {
      yield cutOf(blocks);
      blocks = [];
    }
    if (block.startMs >= windowEndMs) windowEndMs = (Math.floor(block.startMs / fragmentMs) + 1) * fragmentMs;
    blocks.push(block);
  }
  if (blocks.length > 0) yield cutOf(blocks);
}

function* blocksOf(voice: Voice, oddBlock: boolean): Generator<Block> {
  const { side, startsAtMs } = voice;
  const bytes = voiceBytes(voice);
  const oddAt = oddBlock ? oddBlockAt(bytes) : -1;
  for (let from = 0, to = 0; from < bytes; from = to) {
    to = Math.min(from + (from === oddAt ? ODD_BLOCK_BYTES : BLOCK_BYTES), bytes);
    const startMs = startsAtMs + Math.round(from / BYTES_PER_MS);
    const endMs = startsAtMs + Math.ceil(to / BYTES_PER_MS);
    yield { side, startMs, endMs, pcm: spoken(voice, from, to) };
  }
}

/** Bytes `from` to `to` of a voice, which may span repetitions. */
function spoken({ pcm }: Voice, from: number, to: number): Buffer {
  const start = from % pcm.length;
  const first = pcm.subarray(start, start + to - from);
  return first.length === to - from ? first : Buffer.concat([first, pcm.subarray(0, to - from - first.length)]);
}

/** Position of the odd block, with room for normal blocks after it; -1 if the track is too short. */
function oddBlockAt(bytes: number): number {
  const after = ODD_BLOCK_BYTES + BLOCKS_AFTER_ODD * BLOCK_BYTES;
  return bytes < after ? -1 : Math.floor((bytes - after) / BLOCK_BYTES) * BLOCK_BYTES;
}

function* inOrderOfTime(tracks: readonly Generator<Block>[]): Generator<Block> {
  const heads = tracks.map(nextOf);
  for (;;) {
    let first = -1;
    heads.forEach((block, track) => {
      if (block && block.startMs < (heads[first]?.startMs ?? Infinity)) first = track;
    });
    const block = heads[first];
    if (!block) return;
    yield block;
    heads[first] = nextOf(tracks[first] as Generator<Block>);
  }
}

function nextOf(blocks: Generator<Block>): Block | undefined {
  const { done, value } = blocks.next();
  return done ? undefined : value;
}

function cutOf(blocks: readonly Block[]): Cut {
  return {
    startMs: (blocks[0] as Block).startMs,
    endMs: Math.max(...blocks.map(({ endMs }) => endMs)),
    blocks,
  };
}
