import test from 'ava';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { AGENT, CUSTOMER, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { ChannelLosses } from '../../daemon/session/channel-losses.ts';
import { blocksOf, distinctSamples, inOrder, WAIT_MS } from '../audio/tracks.ts';
import { BufferedAligner } from '../support/buffered-aligner.ts';

const BLOCKS = 96;
const BLOCK_MS = 64;
const DURATION_MS = BLOCKS * BLOCK_MS;
const TROUBLE_AT_MS = 32 * BLOCK_MS;

/** The blocks of both tracks that `has` says that the stream has. */
function blocksThat(has: (block: AudioBlock) => boolean): AudioBlock[] {
  const track = (channel: typeof CUSTOMER | typeof AGENT) =>
    blocksOf(channel, distinctSamples(DURATION_MS * SAMPLES_PER_MS, channel + 1));
  return inOrder(track(CUSTOMER), track(AGENT)).filter(has);
}

/** What is found while a session takes the blocks, with trouble reported before those from `troubleAtMs` on. */
function lossesOf(
  blocks: readonly AudioBlock[],
  { troubleAtMs = TROUBLE_AT_MS, knownMs = 0, isRepeated = false, isAtOnce = false } = {},
) {
  const aligner = new BufferedAligner(WAIT_MS);
  const losses = new ChannelLosses();
  const found = [];
  const take = () => {
    while (aligner.take(250));
    return losses.check(aligner);
  };
  let reported = 0;
  for (const [index, block] of blocks.entries()) {
    if (block.timeMs >= troubleAtMs && (reported === 0 || isRepeated)) {
      losses.note('corrupt');
      reported++;
    }
    aligner.add(block);
    if (!isAtOnce && block.timeMs !== blocks[index + 1]?.timeMs) found.push(...take());
  }
  aligner.finish();
  found.push(...take());
  found.push(...losses.finish(aligner, knownMs));
  return found;
}

const isWithin = (timeMs: number, blocks: readonly [from: number, to: number]) =>
  timeMs >= blocks[0] * BLOCK_MS && timeMs < blocks[1] * BLOCK_MS;

test('audio that one side lacks after trouble, until its audio comes again, is lost', (t) => {
  for (const [channel, blocks] of [
    [AGENT, [32, 48]],
    [CUSTOMER, [32, 33]],
  ] as const) {
    const stream = blocksThat((block) => block.channel !== channel || !isWithin(block.timeMs, blocks));
    const [startMs, endMs] = [blocks[0] * BLOCK_MS, blocks[1] * BLOCK_MS];
    t.deepEqual(lossesOf(stream), [{ cause: 'corrupt', channel, startMs, endMs }]);
    t.deepEqual(lossesOf(stream, { troubleAtMs: Infinity }), [], 'without trouble a track may be silent');
  }
});

test('a call that comes all at once has lost the same, and a side that joins late in it nothing', (t) => {
  const stream = blocksThat(({ channel, timeMs }) => channel === CUSTOMER || !isWithin(timeMs, [32, 48]));
  const [startMs, endMs] = [32 * BLOCK_MS, 48 * BLOCK_MS];
  const atOnce = { isAtOnce: true, troubleAtMs: 0 };
  t.deepEqual(lossesOf(stream, atOnce), [{ cause: 'corrupt', channel: AGENT, startMs, endMs }]);
  const joinsLate = blocksThat(({ channel, timeMs }) => channel === CUSTOMER || timeMs >= 40 * BLOCK_MS);
  t.deepEqual(lossesOf(joinsLate, atOnce), []);
});

test('what both sides lack is no loss of one of them, though one has a block more', (t) => {
  const stream = blocksThat(({ channel, timeMs }) => !isWithin(timeMs, channel === AGENT ? [32, 48] : [32, 47]));
  t.deepEqual(lossesOf(stream), []);
});

test('a side that was silent before the trouble has lost nothing', (t) => {
  const joinsLate = blocksThat(({ channel, timeMs }) => channel === CUSTOMER || timeMs >= 40 * BLOCK_MS);
  t.deepEqual(lossesOf(joinsLate), []);
  const wasAway = blocksThat(({ channel, timeMs }) => channel === CUSTOMER || !isWithin(timeMs, [20, 40]));
  t.deepEqual(lossesOf(wasAway), []);
});

test('a side that ends a while after the trouble has lost nothing', (t) => {
  const stream = blocksThat(({ channel, timeMs }) => channel === CUSTOMER || timeMs < 40 * BLOCK_MS);
  t.deepEqual(lossesOf(stream), []);
});

test('a call that ends in trouble has lost what is not counted yet', (t) => {
  const stream = blocksThat(({ channel, timeMs }) => channel === CUSTOMER || timeMs < TROUBLE_AT_MS);
  const [loss, ...others] = lossesOf(stream, { isRepeated: true, knownMs: 1000 });
  t.deepEqual(others, []);
  t.deepEqual(loss, { cause: 'corrupt', channel: AGENT, startMs: TROUBLE_AT_MS + 1000, endMs: DURATION_MS });
});
