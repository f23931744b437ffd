import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { AGENT, CUSTOMER } from '../../daemon/contract/audio-format.ts';
import { ContactFilter } from '../../daemon/kinesis/filter/contact-filter.ts';
import { Demuxer } from '../../daemon/matroska/demuxer.ts';
import { AGENT_TRACK, CONTACT } from '../kinesis/stream.ts';
import { CheckedAligner } from './aligned.ts';
import { cut } from './chunks.ts';
import { assertOurs } from './guard.ts';
import type { Input } from './inputs.ts';
import { PADDING, SOUND, SOUND_BLOCKS } from './sound.ts';

/**
 * Demuxer, filter and aligner in a row: nothing throws, no block of a fragment without our ContactId comes out, no byte
 * comes out twice, and after the padding a fragment of ours comes out unchanged.
 */
export function filterHolds({ bytes, sizes }: Input): void {
  const filter = new ContactFilter(CONTACT, () => {});
  const demuxer = new Demuxer(filter);
  const aligner = new CheckedAligner();
  let handedOutBytes = 0;
  for (const chunk of cut(bytes, sizes)) {
    filter.nowMs++;
    demuxer.push(chunk);
    const blocks = filter.take();
    for (const { pcm } of blocks) {
      assertOurs(pcm, [bytes]);
      handedOutBytes += pcm.length;
    }
    aligner.add(blocks);
  }
  if (handedOutBytes > bytes.length) throw new Error(`${handedOutBytes} bytes handed out of ${bytes.length}`);
  aligner.finish();

  for (const fragment of PADDING) demuxer.push(fragment);
  for (const { pcm } of filter.take()) assertOurs(pcm, [bytes]);
  demuxer.push(SOUND);
  assertSound(filter.take());
}

/** Throws unless these are the valid fragment's blocks, each once and in order. */
function assertSound(blocks: readonly AudioBlock[]): void {
  const isWhole =
    blocks.length === SOUND_BLOCKS.length &&
    SOUND_BLOCKS.every(({ track, offsetMs, pcm }, i) => {
      const block = blocks[i] as AudioBlock;
      const channel = track === AGENT_TRACK ? AGENT : CUSTOMER;
      return block.channel === channel && block.timeMs === offsetMs && Buffer.compare(block.pcm, pcm) === 0;
    });
  if (!isWhole)
    throw new Error(`not the ${SOUND_BLOCKS.length} blocks of the valid fragment, but ${blocks.length} blocks`);
}
