import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ContactFilter } from '../../daemon/kinesis/filter/contact-filter.ts';
import { Demuxer } from '../../daemon/matroska/demuxer.ts';
import { CONTACT } from '../kinesis/stream.ts';
import { BufferedAligner } from '../support/buffered-aligner.ts';
import { chunksOf, HOSTILE_STREAMS, type HostileStream } from './hostile-streams.ts';

/** Enough to distinguish growth with the stream from everything else. */
const STREAM_BYTES = 24 * 1024 * 1024;
/** The daemon's default, and the longest piece that session.ts takes. */
const ALIGN_WAIT_MS = 200;
const LONGEST_PIECE_MS = 250;
/** In all experiments, nothing was freed after the second one. */
const GC_ROUNDS = 3;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

for (const stream of HOSTILE_STREAMS) {
  const line = { stream: stream.name, heldBytes: await heldAfter(stream) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** What demuxer, filter and aligner hold of a stream, after everything they returned has been released. */
async function heldAfter(stream: HostileStream): Promise<number> {
  const beforeBytes = await heldBytes();
  const filter = new ContactFilter(CONTACT, () => {});
  const demuxer = new Demuxer(filter);
  const aligner = new BufferedAligner(ALIGN_WAIT_MS);
  for (const chunk of chunksOf(stream, STREAM_BYTES)) {
    demuxer.push(chunk);
    const blocks = filter.take();
    if (!stream.isAligned) continue;
    for (const block of blocks) aligner.add(block);
    while (aligner.take(LONGEST_PIECE_MS));
  }
  const afterBytes = await heldBytes();
  // Keeps them alive until here.
  demuxer.push(new Uint8Array());
  aligner.finish();
  return afterBytes - beforeBytes;
}

/** Live memory: the heap and the buffers outside it, which V8 frees some time after their owners. */
async function heldBytes(): Promise<number> {
  for (let round = 0; round < GC_ROUNDS; round++) {
    collectGarbage();
    await turn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
