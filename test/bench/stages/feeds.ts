import { readdirSync, readFileSync } from 'node:fs';
import { FRAGMENT_MS, mkvOf } from '../material.ts';

/** Input of the demux stage. */
export interface Feed {
  /** The chunks of each GetMedia body. */
  readonly bodies: readonly (readonly Buffer[])[];
  /** Seconds of call in all bodies, or MB for captures. */
  readonly units: number;
}

/** Fragments per body, 8 s of call: enough that the start of a body does not matter. */
export const FRAGMENTS = 8;
/** Parsers at work at the same time; more would not change the result, and the slowest would take minutes. */
const MOST_BODIES = 100;
const KIB = 1024;
/** Only the beginning of each capture: the slowest parser takes more than a second per MB. */
const MOST_CAPTURES = 5;
const LONGEST_CAPTURE_BYTES = 512 * KIB;
const BYTES_PER_MB = 1e6;

/** Chunk size per feed; undefined for chunks as Connect sends them, every 64 ms. */
const CHUNK_BYTES: Readonly<Record<string, number | undefined>> = {
  'connect, chunks of 64 ms': undefined,
  'connect, chunks of 16 KiB': 16 * KIB,
  'captures, chunks of 2 KiB': 2 * KIB,
  'captures, chunks of 16 KiB': 16 * KIB,
};
export const FEED_NAMES = Object.keys(CHUNK_BYTES);
/** The feed that the targets refer to. */
export const LIVE_FEED = 'connect, chunks of 64 ms';

const captures = new URL('../../fixtures/captures/', import.meta.url);

/** The unit of a feed's figures: seconds of call, or MB. */
export function unitOf(feed: string): 's of call' | 'MB' {
  return feed.startsWith('captures') ? 'MB' : 's of call';
}

export function feedOf(name: string, calls: number): Feed {
  const chunkBytes = CHUNK_BYTES[name];
  if (unitOf(name) === 'MB') {
    const files = readdirSync(captures).filter((file) => file.endsWith('.mkv'));
    const bodies = Array.from({ length: Math.min(calls, MOST_CAPTURES) }, (_, i) =>
      cut(beginningOf(files[i % files.length] as string), chunkBytes as number),
    );
    const bytes = bodies.flat().reduce((sum, { length }) => sum + length, 0);
    return { bodies, units: bytes / BYTES_PER_MB };
  }
  const bodies = Array.from({ length: Math.min(calls, MOST_BODIES) }, (_, call) => {
    const chunks = mkvOf(call, FRAGMENTS);
    return chunkBytes === undefined ? chunks : cut(Buffer.concat(chunks), chunkBytes);
  });
  return { bodies, units: (bodies.length * FRAGMENTS * FRAGMENT_MS) / 1000 };
}

function beginningOf(file: string): Buffer {
  return readFileSync(new URL(file, captures)).subarray(0, LONGEST_CAPTURE_BYTES);
}

function cut(bytes: Buffer, chunkBytes: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
    bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
}
