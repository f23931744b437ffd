import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import { cluster, fragmentHead, fragmentTail, producerTags, simpleBlock } from '../simulators/kinesis-video/mkv.ts';

/** Connect's block: 512 samples (daemon/kinesis/README.md). */
const BLOCK_MS = 64;
const BLOCK_SAMPLES = 512;
/** 64, 100, 160 and 200 ms divide it without a rest, so that every fragment has the same number of chunks. */
export const FRAGMENT_MS = 1600;
const BLOCKS_PER_FRAGMENT = FRAGMENT_MS / BLOCK_MS;
/** 2-channel 16-bit PCM at 8 kHz. */
export const PCM_BYTES_PER_MS = 32;

const TRACKS = [
  { number: 1, name: 'AUDIO_FROM_CUSTOMER' },
  { number: 2, name: 'AUDIO_TO_CUSTOMER' },
] as const;
/** Some moment: nothing here depends on when it was, and every run has the same bytes. */
const BEGAN_AT_EPOCH_MS = 1_790_000_000_000;
const FIRST_FRAGMENT_NUMBER = 91343852333181432392682062000000000000n;
/** As long as any contact id, so that one can be written over another. */
const SOME_CONTACT = contactOf(0);
/** Calls begin at different places of the audio: bytes that went to a wrong call are noticed. */
const BEGINNINGS = 16;

/** A call, and a fragment, that no run gets to. */
const AFTER_ALL_CALLS = 999_999_999_999;

const { customer, agent } = loadSampleCall();

/** One fragment of a call: its bytes as GetMedia sends them, cut into what comes at once, and the audio in it. */
export interface Fragment {
  /** The first one holds the contact id. */
  readonly chunks: readonly Buffer[];
  /** What Deepgram is to get of it. */
  readonly pcm: Buffer;
}

/** The contact id of a call. */
export function contactOf(call: number): string {
  return `00000000-0000-4000-8000-${String(call).padStart(12, '0')}`;
}

/** The first fragment that a call has. */
export function firstFragmentOf(call: number): number {
  return call % BEGINNINGS;
}

/** The chunk, or a copy that is of that call instead. */
export function ofCall(chunk: Buffer, call: number): Buffer {
  const at = chunk.indexOf(SOME_CONTACT);
  if (at < 0) return chunk;
  const copy = Buffer.from(chunk);
  copy.write(contactOf(call), at, 'latin1');
  return copy;
}

/** What ends a call: the stream goes on with another contact. */
export function nextContact(): Buffer {
  return head(AFTER_ALL_CALLS, contactOf(AFTER_ALL_CALLS));
}

/** The fragments that all calls are made of, each built when it is first asked for. */
export class Material {
  readonly #chunkMs: number;
  readonly #fragments: Fragment[] = [];

  /** @param chunkMs how often a chunk comes; it holds the blocks that have ended since the last one */
  constructor(chunkMs: number) {
    this.#chunkMs = chunkMs;
  }

  fragment(index: number): Fragment {
    this.#fragments[index] ??= built(index, this.#chunkMs);
    return this.#fragments[index];
  }
}

function built(index: number, chunkMs: number): Fragment {
  const customerPcm = samples(customer, index);
  const agentPcm = samples(agent, index);
  const blocks = Array.from({ length: BLOCKS_PER_FRAGMENT }, (_, block) =>
    [customerPcm, agentPcm].map((pcm, track) => {
      const from = block * BLOCK_SAMPLES * 2;
      const payload = pcm.subarray(from, from + BLOCK_SAMPLES * 2);
      return simpleBlock((TRACKS[track] as (typeof TRACKS)[number]).number, block * BLOCK_MS, payload);
    }),
  );
  const whole = Buffer.concat([
    head(index, SOME_CONTACT),
    cluster(BEGAN_AT_EPOCH_MS + index * FRAGMENT_MS, blocks.flat()),
    fragmentTail(numberOf(index), 0),
  ]);
  return { chunks: cut(whole, blocks, chunkMs, fragmentTail(numberOf(index), 0).length), pcm: interleaved(index) };
}

/** Cuts at the ends of blocks; what comes before the first and after the last block goes with them. */
function cut(whole: Buffer, blocks: readonly Buffer[][], chunkMs: number, tailBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  const pairBytes = blocks.map((pair) => pair.reduce((sum, { length }) => sum + length, 0));
  let end = whole.length - tailBytes - pairBytes.reduce((sum, bytes) => sum + bytes, 0);
  let from = 0;
  let dueMs = chunkMs;
  pairBytes.forEach((bytes, pair) => {
    if ((pair + 1) * BLOCK_MS > dueMs) {
      chunks.push(whole.subarray(from, end));
      from = end;
      dueMs += chunkMs;
    }
    end += bytes;
  });
  chunks.push(whole.subarray(from));
  return chunks;
}

function head(index: number, contactId: string): Buffer {
  const atMs = BEGAN_AT_EPOCH_MS + (index === AFTER_ALL_CALLS ? 0 : index * FRAGMENT_MS);
  const tags = producerTags([
    ['ContactId', contactId],
    ['InstanceId', '11111111-2222-4333-8444-555555555555'],
    ['MimeType', 'audio/L16;rate=8000;channels=1;'],
    ...TRACKS.map(({ name, number }) => [name, String(number)] as const),
    ['Events', '[]'],
  ]);
  return fragmentHead({ number: numberOf(index), serverMs: atMs, producerMs: atMs }, TRACKS, tags);
}

function numberOf(index: number): string {
  return String(FIRST_FRAGMENT_NUMBER + BigInt(index));
}

/** A fragment's samples of one voice, which speaks in a loop. */
function samples(voice: Int16Array, index: number): Buffer {
  const length = BLOCKS_PER_FRAGMENT * BLOCK_SAMPLES;
  const pcm = Buffer.alloc(length * 2);
  for (let i = 0; i < length; i++) pcm.writeInt16LE(voice[(index * length + i) % voice.length] as number, i * 2);
  return pcm;
}

function interleaved(index: number): Buffer {
  const [left, right] = [samples(customer, index), samples(agent, index)];
  const pcm = Buffer.alloc(left.length * 2);
  for (let at = 0; at < left.length; at += 2) {
    left.copy(pcm, at * 2, at, at + 2);
    right.copy(pcm, at * 2 + 2, at, at + 2);
  }
  return pcm;
}
