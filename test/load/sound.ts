/** The audio of a load run: known noise and, in each block of each track, a mark with the call, the block's number and
 *  the time at which it was put on the stream. */

const SAMPLES_PER_MS = 8;
const BYTES_PER_SAMPLE = 2;
/** daemon/kinesis/README.md: a block is 64 ms of one track. */
export const BLOCK_MS = 64;
export const BLOCK_BYTES = BLOCK_MS * SAMPLES_PER_MS * BYTES_PER_SAMPLE;
/** Bytes per ms of the call as Deepgram receives it, on two channels. */
export const STEREO_BYTES_PER_MS = 2 * SAMPLES_PER_MS * BYTES_PER_SAMPLE;
export const STEREO_BLOCK_BYTES = 2 * BLOCK_BYTES;
/** Four 32-bit numbers at the start of a block. */
const MARK_BYTES = 16;
export const STEREO_MARK_BYTES = 2 * MARK_BYTES;

export type Track = 0 | 1;

/** Content of a mark. All zeros is silence in place of a block, not a mark. */
interface Mark {
  readonly call: number;
  readonly block: number;
  /** When it was put on the stream, as of `ticksOf`. */
  readonly saidAtTicks: number;
}

/** Each track's marks begin with a different number, to notice a track on the wrong channel. */
const SIGNATURES = [0x6c6f6164, 0x6461_6f6c] as const;
/** Enough that neighboring blocks and calls differ, few enough to stay in the CPU cache. */
export const PATTERNS = 16;

const mono = ([0, 1] as const).map((track) => Array.from({ length: PATTERNS }, (_, index) => noise(track, index)));
const stereo = Array.from({ length: PATTERNS }, (_, index) => interleaved(mono[0]?.[index], mono[1]?.[index]));

/** The pattern of a call's block. */
export function patternOf(call: number, block: number): number {
  return (call + block) % PATTERNS;
}

/** A block of one track, with room for its mark. */
export function monoPattern(track: Track, pattern: number): Buffer {
  return mono[track]?.[pattern] as Buffer;
}

/** The same block on both channels, as Deepgram receives it, without marks. */
export function stereoPattern(pattern: number): Buffer {
  return stereo[pattern] as Buffer;
}

/** Writes a mark into the block whose PCM starts at `at`. */
export function writeMark(bytes: Buffer, at: number, track: Track, { call, block, saidAtTicks }: Mark): void {
  bytes.writeUInt32LE(SIGNATURES[track], at);
  bytes.writeUInt32LE(call, at + 4);
  bytes.writeUInt32LE(block, at + 8);
  bytes.writeUInt32LE(saidAtTicks, at + 12);
}

/** A block of both channels with its marks, as Deepgram receives it. */
export function stereoBlock(mark: Mark): Buffer {
  const { call, block, saidAtTicks } = mark;
  const bytes = Buffer.from(stereoPattern(patternOf(call, block)));
  for (const track of [0, 1] as const) {
    for (const [index, number] of [SIGNATURES[track], call, block, saidAtTicks].entries()) {
      const at = index * 8 + track * BYTES_PER_SAMPLE;
      bytes.writeUInt16LE(number & 0xffff, at);
      bytes.writeUInt16LE(number >>> 16, at + 4);
    }
  }
  return bytes;
}

/** Reads a channel's mark from the first STEREO_MARK_BYTES of a block. */
export function readMark(stereoBytes: Buffer, track: Track): Mark | 'silence' | 'wrong' {
  const signature = numberAt(stereoBytes, track, 0);
  const call = numberAt(stereoBytes, track, 1);
  const block = numberAt(stereoBytes, track, 2);
  const saidAtTicks = numberAt(stereoBytes, track, 3);
  if (signature === SIGNATURES[track]) return { call, block, saidAtTicks };
  return (signature | call | block | saidAtTicks) === 0 ? 'silence' : 'wrong';
}

/** The channel's 32-bit number at an index of the mark: two samples, with one of the other channel between them. */
function numberAt(stereoBytes: Buffer, track: Track, index: number): number {
  const at = index * 8 + track * BYTES_PER_SAMPLE;
  return (stereoBytes.readUInt16LE(at) | (stereoBytes.readUInt16LE(at + 4) << 16)) >>> 0;
}

/** Noise that is the same in every process (xorshift32). */
function noise(track: Track, pattern: number): Buffer {
  const samples = new Uint32Array(BLOCK_BYTES / 4);
  let state = 1 + track + 2 * pattern;
  for (let i = 0; i < samples.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    samples[i] = state;
  }
  return Buffer.from(samples.buffer);
}

function interleaved(left: Buffer = Buffer.alloc(0), right: Buffer = Buffer.alloc(0)): Buffer {
  const both = Buffer.alloc(left.length + right.length);
  for (let at = 0; at < left.length; at += BYTES_PER_SAMPLE) {
    left.copy(both, 2 * at, at, at + BYTES_PER_SAMPLE);
    right.copy(both, 2 * at + BYTES_PER_SAMPLE, at, at + BYTES_PER_SAMPLE);
  }
  return both;
}
