import test from 'ava';
import { SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { type ChannelPart, FinalAudio, type MissingCause } from '../../daemon/deepgram/final-audio.ts';
import { momentOf, positionOf } from '../../daemon/deepgram/replay-buffer.ts';

/** A call that is loud in these parts of each channel, in ms. */
type Loud = readonly (readonly [from: number, to: number])[];

function audio(fromMs: number, toMs: number, [customer, agent]: readonly [Loud, Loud], loudness = 1000): Int32Array {
  const isLoud = (loud: Loud, ms: number) => loud.some(([from, to]) => ms >= from && ms < to);
  return new Int32Array((toMs - fromMs) * SAMPLES_PER_MS).map((_, frame) => {
    const ms = fromMs + frame / SAMPLES_PER_MS;
    const sample = frame % 2 === 0 ? loudness : -loudness;
    return (isLoud(customer, ms) ? sample & 0xffff : 0) | (isLoud(agent, ms) ? sample << 16 : 0);
  });
}

/** What is known after `ms` of a call. */
function after(ms: number, loud: readonly [Loud, Loud], loudness?: number) {
  const unheard: [MissingCause, ChannelPart][] = [];
  const final = new FinalAudio(0, (...missing) => unheard.push(missing));
  // In pieces that do not fit those of 20 ms.
  for (let fromMs = 0; fromMs < ms; fromMs += 33) final.add(audio(fromMs, Math.min(ms, fromMs + 33), loud, loudness));
  const finalMs = () => {
    final.settle(positionOf(ms), positionOf(ms), ms);
    return Math.round(momentOf(final.finalTo));
  };
  return { final, unheard, finalMs };
}

test('a silent channel is final without results, up to where speech begins', (t) => {
  t.is(after(10_000, [[], []]).finalMs(), 10_000);
  t.is(after(10_000, [[[4000, 5000]], []]).finalMs(), 4000);
  t.is(after(10_000, [[], [[7000, 9000]]]).finalMs(), 7000);
});

test('after a final, the channel is final up to its next speech', (t) => {
  const { final, finalMs } = after(10_000, [
    [
      [4000, 5000],
      [8000, 8500],
    ],
    [],
  ]);
  final.finalized(0, positionOf(5100));
  t.is(finalMs(), 8000);
  final.finalized(0, positionOf(8600));
  t.is(finalMs(), 10_000);
});

test('a resume point counts as final what was final 2 s of our time before, however fast the call is read', (t) => {
  const { final } = after(60_000, [[[0, 60_000]], [[0, 60_000]]]);
  const safeMs = (finalMs: number, nowMs: number) => {
    for (const channel of [0, 1] as const) final.finalized(channel, positionOf(finalMs));
    final.settle(positionOf(60_000), positionOf(60_000), nowMs);
    return momentOf(final.safeTo);
  };
  t.is(safeMs(10_000, 5000), 0);
  t.is(safeMs(20_000, 5500), 0);
  t.is(safeMs(30_000, 6999), 0);
  // What is kept before it, for a new connection to begin with, is 3 s.
  t.is(safeMs(40_000, 7000), 7000);
  t.is(safeMs(50_000, 8999), 7000);
  t.is(safeMs(50_000, 9000), 37_000);
});

test('noise below -56 dB and clicks are silence', (t) => {
  t.is(after(10_000, [[[0, 10_000]], []], 40).finalMs(), 10_000);
  t.is(after(10_000, [[[0, 10_000]], []], 60).finalMs(), 0);
  t.is(after(10_000, [[[4000, 4040]], []]).finalMs(), 10_000);
});

test('speech that has just begun is not silence', (t) => {
  t.is(after(10_000, [[[9980, 10_000]], []]).finalMs(), 9980);
});

test('a connection begins 2 s before what is not final, or in a pause up to a second earlier', (t) => {
  const at = (loud: readonly [Loud, Loud]) => {
    const { final, finalMs } = after(20_000, loud);
    finalMs();
    return momentOf(final.beginning);
  };
  t.is(at([[[10_000, 20_000]], []]), 8000 - 40);
  // Both channels must be quiet.
  const talk: Loud = [
    [5000, 7500],
    [7620, 9000],
  ];
  const settled = (loud: readonly [Loud, Loud]) => {
    const { final, finalMs } = after(20_000, loud);
    final.finalized(0, positionOf(10_000));
    final.finalized(1, positionOf(10_000));
    finalMs();
    return momentOf(final.beginning);
  };
  t.is(settled([[...talk, [10_000, 20_000]], []]), 7580);
  t.is(settled([[...talk, [10_000, 20_000]], [[5000, 9000]]]), 8000);
});

test('audio is kept from a pause before the margin, and that point never moves back', (t) => {
  const { final, finalMs } = after(20_000, [[[10_000, 20_000]], []]);
  finalMs();
  t.is(momentOf(final.neededFrom), 7000);
});

test('speech without results is reported once no final can be expected', (t) => {
  const { unheard, finalMs } = after(400_000, [[[20_000, 400_000]], []]);
  t.is(finalMs(), 50_000);
  t.deepEqual(unheard, [['no-results', { channel: 0, fromMs: 20_000, toMs: 50_000 }]]);
  finalMs();
  t.is(finalMs(), 80_000);
  t.is(unheard.length, 2);
});

test('speech without a final when Deepgram has sent its last result is reported, noise and silence are not', (t) => {
  const missing = (loud: readonly [Loud, Loud], finalMs = 0) => {
    const { final, unheard } = after(80_000, loud);
    final.finalized(0, positionOf(finalMs));
    final.conclude(positionOf(80_000));
    return unheard.map(([cause, { channel, fromMs, toMs }]) => [cause, channel, fromMs, toMs]);
  };
  t.deepEqual(missing([[], []]), []);
  t.deepEqual(missing([[[10_000, 14_000]], []], 14_100), []);
  t.deepEqual(missing([[[10_000, 80_000]], []], 79_800), [], 'finals end a little before the audio');
  t.deepEqual(missing([[[10_000, 10_200]], [[79_900, 80_000]]]), [], 'clicks');
  t.deepEqual(missing([[[10_000, 14_000]], [[78_000, 79_000]]]), [
    ['no-results', 0, 10_000, 40_000],
    ['no-results', 1, 78_000, 80_000],
  ]);
  t.deepEqual(missing([[[20_000, 80_000]], []], 30_000), [
    ['no-results', 0, 30_000, 60_000],
    ['no-results', 0, 60_000, 80_000],
  ]);
});

test('a backlog that is sent at once has all the time that a Deepgram in real time needs, and five minutes', (t) => {
  const { final, unheard } = after(900_000, [[[0, 900_000]], []]);
  const heardMs = (ms: number) => final.settle(positionOf(900_000), positionOf(ms), ms);
  heardMs(0);
  heardMs(330_000);
  t.deepEqual(unheard, []);
  // Finals that come show that more will.
  final.finalized(0, positionOf(300_000));
  heardMs(630_000);
  t.deepEqual(unheard, []);
  heardMs(630_001);
  t.deepEqual(unheard, [['no-results', { channel: 0, fromMs: 300_000, toMs: 330_000 }]]);
});

test('audio without a final at the end is reported per channel', (t) => {
  const { final, finalMs } = after(10_000, [[[4000, 5000]], []]);
  finalMs();
  t.deepEqual(final.notFinal(positionOf(10_000)), [{ channel: 0, fromMs: 4000, toMs: 10_000 }]);
});

test('skipped audio is reported once per channel', (t) => {
  const { final, unheard, finalMs } = after(10_000, [[[4000, 5000]], [[6000, 9000]]]);
  finalMs();
  final.passOver(positionOf(5500));
  final.passOver(positionOf(5500));
  t.deepEqual(unheard, [['unfinished', { channel: 0, fromMs: 4000, toMs: 5500 }]]);
});
