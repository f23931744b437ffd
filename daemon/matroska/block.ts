import { readSize, readUint, vintLength } from './vint.ts';

export interface BlockEvents {
  /**
   * @param timeMs the cluster's timecode plus the block's own offset, on the producer's clock
   * @param payload a view of what was pushed, not a copy
   */
  block(trackNumber: number, timeMs: number, payload: Uint8Array): void;
}

/** The block's offset (16 bits) and its flags follow the track number. */
const OFFSET_BYTES = 2;
const FLAGS_BYTES = 1;
/** The bits of the flags that say several frames are packed into the block. */
const LACING_FLAGS = 0x06;

/** Emits the SimpleBlock or Block in the bytes `from` up to `to`. Returns an error text if it is invalid. */
export function emitBlock(
  bytes: Buffer,
  from: number,
  to: number,
  clusterTicks: number | undefined,
  scaleMs: number,
  events: BlockEvents,
): string | undefined {
  const trackLength = to > from ? vintLength(bytes[from] as number) : vintLength(0);
  const offsetAt = from + trackLength;
  const flagsAt = offsetAt + OFFSET_BYTES;
  const dataAt = flagsAt + FLAGS_BYTES;
  if (dataAt > to) return 'a block without a header';
  if (clusterTicks === undefined) return 'a block before the timecode of its cluster';
  if ((bytes[flagsAt] as number) & LACING_FLAGS) return 'a laced block, which Kinesis does not write';
  const offset = (readUint(bytes, offsetAt, OFFSET_BYTES) << 16) >> 16;
  const payload = new Uint8Array(bytes.buffer, bytes.byteOffset + dataAt, to - dataAt);
  events.block(readSize(bytes, from, trackLength), (clusterTicks + offset) * scaleMs, payload);
  return undefined;
}
