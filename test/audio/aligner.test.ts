import test from 'ava';
import fc from 'fast-check';
import type { PackedClock } from '../../daemon/audio/packed-clock.ts';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { AGENT, CUSTOMER, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { BufferedAligner } from '../support/buffered-aligner.ts';
import { randomFrom } from '../support/random.ts';
import {
  after,
  align,
  BLOCK_MS,
  blocksOf,
  bytesOf,
  difference,
  distinctSamples,
  inOrder,
  retimed,
  spoken,
  WAIT_MS,
} from './tracks.ts';

const SECOND = 1000 * SAMPLES_PER_MS;

test('two gapless tracks come out sample for sample, the customer on channel 0, the agent on channel 1', (t) => {
  const customer = distinctSamples(3 * SECOND, 1);
  const agent = distinctSamples(3 * SECOND, 2);
  const out = align(inOrder(blocksOf(CUSTOMER, customer), blocksOf(AGENT, agent)));
  t.is(difference(out.customer, customer), 'the same');
  t.is(difference(out.agent, agent), 'the same');
  t.is(out.aligner.gapMs, 0);
  t.is(out.aligner.positionMs, 3000);
});

test('whatever the sizes of the blocks and the order of the tracks, every sample comes out once and in its place', (t) => {
  const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 20 });
  const track = fc.record({ length: fc.integer({ min: 1, max: 2 * SECOND }), sizes });
  fc.assert(
    fc.property(track, track, fc.boolean(), (one, two, agentFirst) => {
      const customer = distinctSamples(one.length, 1);
      const agent = distinctSamples(two.length, 2);
      const tracks = [blocksOf(CUSTOMER, customer, one.sizes), blocksOf(AGENT, agent, two.sizes)];
      const out = align(inOrder(...(agentFirst ? tracks.reverse() : tracks)));
      t.is(difference(out.customer.slice(0, customer.length), customer), 'the same');
      t.is(difference(out.agent.slice(0, agent.length), agent), 'the same');
      t.is(out.customer.length, Math.max(customer.length, agent.length));
    }),
    { numRuns: 300 },
  );
});

test('a track that ends early is silent from there on, and nothing of the other is lost', (t) => {
  const customer = distinctSamples(5 * SECOND, 1);
  const agent = distinctSamples(SECOND, 2);
  const out = align(inOrder(blocksOf(CUSTOMER, customer), blocksOf(AGENT, agent)));
  t.is(difference(out.customer, customer), 'the same');
  t.is(difference(out.agent.slice(0, SECOND), agent), 'the same');
  t.is(difference(spoken(out.agent), agent), 'the same');
});

test('a block that is missing in one track leaves exactly its time silent', (t) => {
  const customer = distinctSamples(2 * SECOND, 1);
  const blocks = blocksOf(CUSTOMER, customer);
  const gap = blocks.splice(10, 1)[0] as AudioBlock;
  const agent = distinctSamples(2 * SECOND, 2);
  const out = align(inOrder(blocks, blocksOf(AGENT, agent)));
  const expected = customer.slice();
  expected.fill(0, gap.timeMs * SAMPLES_PER_MS, (gap.timeMs + BLOCK_MS) * SAMPLES_PER_MS);
  t.is(difference(out.customer, expected), 'the same');
  t.is(difference(out.agent, agent), 'the same');
  t.is(out.aligner.gapMs, 0, 'the agent was heard meanwhile');
});

test('a short block in mid-track keeps the grid: the rest of its time is silent', (t) => {
  const short = 96;
  const samples = distinctSamples(20 * 512 + short + 20 * 512);
  const sizes = [...Array.from({ length: 20 }, () => 512), short, 512];
  const blocks = blocksOf(CUSTOMER, samples, sizes).map((block, i) => ({ ...block, timeMs: i * BLOCK_MS }));
  const agent = distinctSamples(41 * 512, 2);
  const out = align(inOrder(blocks, blocksOf(AGENT, agent)));
  const at = 20 * 512 + short;
  const silent = BLOCK_MS * SAMPLES_PER_MS - short;
  t.is(silent / SAMPLES_PER_MS, 52);
  t.is(difference(out.customer.slice(0, at), samples.slice(0, at)), 'the same');
  t.is(difference(out.customer.slice(at, at + silent), new Int16Array(silent)), 'the same');
  t.is(difference(out.customer.slice(at + silent), samples.slice(at)), 'the same');
  t.is(difference(out.agent, agent), 'the same');
});

test('time that both tracks miss is a gap of exactly that length', (t) => {
  const cut = (blocks: AudioBlock[]) => blocks.filter(({ timeMs }) => timeMs < 640 || timeMs >= 1280);
  const customer = cut(blocksOf(CUSTOMER, distinctSamples(2 * SECOND, 1)));
  const agent = cut(blocksOf(AGENT, distinctSamples(2 * SECOND, 2)));
  const out = align(inOrder(customer, agent));
  t.is(out.aligner.gapMs, 640);
  t.is(out.aligner.positionMs, 2000);
});

test('a gap is counted correctly where one track returns before the other', (t) => {
  const customer = blocksOf(CUSTOMER, distinctSamples(2 * SECOND, 1)).filter(
    ({ timeMs }) => timeMs < 640 || timeMs >= 960,
  );
  const agent = blocksOf(AGENT, distinctSamples(2 * SECOND, 2)).filter(({ timeMs }) => timeMs < 640 || timeMs >= 896);
  t.is(align(inOrder(customer, agent)).aligner.gapMs, 256);
});

test('a track that begins late begins at its time', (t) => {
  const customer = distinctSamples(4 * SECOND, 1);
  const agent = distinctSamples(SECOND, 2);
  const late = retimed(blocksOf(AGENT, agent), (time) => time + 2048);
  const out = align(inOrder(blocksOf(CUSTOMER, customer), late));
  t.is(difference(out.customer, customer), 'the same');
  t.is(difference(out.agent.slice(0, after(2048, agent).length), after(2048, agent)), 'the same');
});

test('the call begins with the earliest block, whichever track brings it and whichever comes first', (t) => {
  const customer = distinctSamples(SECOND, 1);
  const agent = distinctSamples(SECOND, 2);
  const early = retimed(blocksOf(AGENT, agent), (time) => time + 1000);
  const late = retimed(blocksOf(CUSTOMER, customer), (time) => time + 1040);
  const [first, ...rest] = inOrder(early, late);
  const out = align([late[0] as AudioBlock, first as AudioBlock, ...rest.filter((block) => block !== late[0])]);
  t.is(difference(out.agent.slice(0, SECOND), agent), 'the same');
  t.is(difference(out.customer, after(40, customer)), 'the same');
});

test('a one-sided call waits for the other track only at its beginning', (t) => {
  const aligner = new BufferedAligner(WAIT_MS);
  const waits: number[] = [];
  for (const block of blocksOf(AGENT, distinctSamples(2 * SECOND))) {
    aligner.add(block);
    for (let piece = aligner.take(250); piece; piece = aligner.take(250)) {
      if (piece.arrivedAtMs !== undefined) waits.push(block.arrivedAtMs - piece.arrivedAtMs);
    }
  }
  t.true((waits[0] as number) <= WAIT_MS + BLOCK_MS, `the first piece waited ${waits[0]} ms`);
  t.deepEqual([...new Set(waits.slice(2))], [0]);
});

test('tracks that come far apart in a burst are not torn apart: waiting takes time as well as audio', (t) => {
  const customer = distinctSamples(2 * SECOND, 1);
  const agent = distinctSamples(2 * SECOND, 2);
  const burst = [...blocksOf(CUSTOMER, customer), ...blocksOf(AGENT, agent)].map((block) => ({
    ...block,
    arrivedAtMs: 5,
  }));
  const out = align(burst);
  t.is(difference(out.customer, customer), 'the same');
  t.is(difference(out.agent, agent), 'the same');
});

test('a sample that two odd blocks cut in two is put together again', (t) => {
  const samples = distinctSamples(1024);
  const bytes = bytesOf(samples);
  const cut = [
    { channel: CUSTOMER, timeMs: 0, pcm: bytes.slice(0, 1023), arrivedAtMs: 0 },
    { channel: CUSTOMER, timeMs: 64, pcm: bytes.slice(1023), arrivedAtMs: 64 },
  ] as const;
  t.is(difference(align(cut).customer, samples), 'the same');
});

test('an odd block that nothing continues loses its half sample and no other', (t) => {
  const first = bytesOf(distinctSamples(512, 1)).slice(0, 1023);
  const second = distinctSamples(512, 2);
  const out = align([
    { channel: CUSTOMER, timeMs: 0, pcm: first, arrivedAtMs: 0 },
    { channel: CUSTOMER, timeMs: 64, pcm: bytesOf(second), arrivedAtMs: 64 },
  ]);
  t.is(
    difference(spoken(out.customer), Int16Array.of(...distinctSamples(512, 1).slice(0, 511), ...second)),
    'the same',
  );
});

test('repeated blocks are left out, one as well as seconds of both tracks', (t) => {
  const customer = distinctSamples(6 * SECOND, 1);
  const agent = distinctSamples(6 * SECOND, 2);
  const blocks = inOrder(blocksOf(CUSTOMER, customer), blocksOf(AGENT, agent));
  for (const [from, to] of [
    [20, 21],
    [40, 44],
    [60, 124],
  ] as const) {
    const out = align([...blocks.slice(0, to), ...blocks.slice(from, to), ...blocks.slice(to)]);
    t.is(difference(out.customer, customer), 'the same');
    t.is(difference(out.agent, agent), 'the same');
    t.is(out.aligner.positionMs, 6000);
  }
});

test('a repetition of the last block of an ended track is left out with inexact times, too', (t) => {
  const late = (blocks: AudioBlock[]) =>
    blocks.map((block, i) => ({ ...block, timeMs: block.timeMs + ((i * 37) % 61) }));
  const customer = distinctSamples(2 * SECOND, 1);
  const agent = distinctSamples(4 * SECOND, 2);
  const blocks = inOrder(late(blocksOf(CUSTOMER, customer)), late(blocksOf(AGENT, agent)));
  const at = blocks.findLastIndex(({ channel }) => channel === CUSTOMER);
  const out = align([...blocks.slice(0, at + 8), ...blocks.slice(at, at + 8), ...blocks.slice(at + 8)]);
  t.is(difference(spoken(out.customer), customer), 'the same');
  t.is(difference(spoken(out.agent), agent), 'the same');
  t.true(out.aligner.repeatedMs > 0);
});

test('digital silence with the time of the block before is no repetition', (t) => {
  const silence = blocksOf(CUSTOMER, new Int16Array(2 * SECOND)).map((block, i) => ({
    ...block,
    timeMs: block.timeMs + (i % 2 === 0 ? 32 : -32),
  }));
  t.is(align(silence).aligner.repeatedMs, 0);
  t.is(align(silence).customer.length, 2 * SECOND);
});

test('only the new part counts of a block that overlaps earlier audio', (t) => {
  const samples = distinctSamples(SECOND);
  const bytes = bytesOf(samples);
  const cut = (fromMs: number, toMs: number): AudioBlock => ({
    channel: CUSTOMER,
    timeMs: fromMs,
    pcm: bytes.slice(fromMs * 16, toMs * 16),
    arrivedAtMs: fromMs,
  });
  const out = align([cut(0, 300), cut(200, 500), cut(440, 700), cut(500, 660), cut(700, 1000)]);
  t.is(difference(out.customer, samples), 'the same');
});

test('different audio at a time that already has audio is kept', (t) => {
  const samples = distinctSamples(2 * SECOND);
  const late = blocksOf(CUSTOMER, samples).map((block, i) =>
    i < 10 ? block : { ...block, timeMs: block.timeMs - 100 },
  );
  t.is(difference(align(late).customer, samples), 'the same');
});

for (const [name, rate] of [
  ['fast', 1.01],
  ['slow', 0.99],
] as const) {
  test(`a producer's clock that is 1 % too ${name} costs no sample and doubles none, and the tracks stay together`, (t) => {
    const customer = distinctSamples(60 * SECOND, 1);
    const agent = distinctSamples(60 * SECOND, 2);
    const drifting = (blocks: AudioBlock[]) => retimed(blocks, (time) => Math.round(time * rate));
    const out = align(inOrder(drifting(blocksOf(CUSTOMER, customer)), drifting(blocksOf(AGENT, agent))));
    t.is(difference(spoken(out.customer), customer), 'the same');
    t.is(difference(spoken(out.agent), agent), 'the same');
    const skew = Math.abs(
      out.customer.indexOf(customer.at(-1) as number, -600) - out.agent.indexOf(agent.at(-1) as number, -600),
    );
    t.true(skew <= 64 * SAMPLES_PER_MS, `${skew} samples apart at the end`);
  });
}

for (const [name, jumpMs] of [
  ['back to 0', -30_000],
  ['forward by a day', 86_400_000],
] as const) {
  test(`a producer's clock that is set ${name} in mid-call changes nothing`, (t) => {
    const customer = distinctSamples(60 * SECOND, 1);
    const agent = distinctSamples(60 * SECOND, 2);
    const ordered = inOrder(blocksOf(CUSTOMER, customer), blocksOf(AGENT, agent));
    const out = align(
      ordered.map((block) => (block.timeMs < 30_016 ? block : { ...block, timeMs: block.timeMs + jumpMs })),
    );
    t.is(difference(out.customer, customer), 'the same');
    t.is(difference(out.agent, agent), 'the same');
  });
}

test('a process that continues a call also has the blocks that the previous one had not decided on', (t) => {
  const customer = distinctSamples(4 * SECOND, 1);
  const agent = distinctSamples(4 * SECOND, 2);
  // Inexact times, and 300 ms are missing at 2048 ms.
  const blocks = inOrder(blocksOf(CUSTOMER, customer), blocksOf(AGENT, agent)).map((block, i) => ({
    ...block,
    timeMs: block.timeMs + ((i * 37) % 41) + (block.timeMs < 2048 ? 0 : 300),
  }));
  const cut = 2 * 32 + 3;
  const first = new BufferedAligner(WAIT_MS);
  align(blocks.slice(0, cut), first, false);
  t.is(first.reachMs, 2048, 'three blocks are held');
  const second = new BufferedAligner(WAIT_MS, {
    callMs: first.positionMs,
    callClock: first.callClock() as PackedClock,
  });
  const out = align(blocks.slice(cut - 20), second);
  t.is(difference(spoken(out.customer), customer.slice(2048 * SAMPLES_PER_MS)), 'the same');
  t.is(difference(spoken(out.agent), agent.slice(2048 * SAMPLES_PER_MS)), 'the same');
});

for (const [name, inexactMs] of [
  ['exact', () => 0],
  ['inexact', (nth: number) => ((nth * 37) % 41) - 20],
] as const) {
  test(`a stream that is read again from 95 s before the place, with ${name} times, adds nothing of that`, (t) => {
    const customer = distinctSamples(120 * SECOND, 1);
    const agent = distinctSamples(120 * SECOND, 2);
    const blocks = inOrder(blocksOf(CUSTOMER, customer), blocksOf(AGENT, agent)).map((block, nth) => ({
      ...block,
      timeMs: block.timeMs + inexactMs(nth),
    }));
    const first = new BufferedAligner(WAIT_MS);
    align(blocks.slice(0, 2 * 1563), first, false);
    const callMs = first.positionMs;
    const second = new BufferedAligner(WAIT_MS, { callMs, callClock: first.callClock() as PackedClock });
    const out = align(blocks.slice(2 * 78), second);
    t.is(difference(out.customer, customer.slice(callMs * SAMPLES_PER_MS)), 'the same');
    t.is(difference(out.agent, agent.slice(callMs * SAMPLES_PER_MS)), 'the same');
  });
}

test('audio that was set back by more than ten minutes after the place is not taken for audio before it', (t) => {
  const customer = distinctSamples(20 * SECOND, 1);
  const blocks = blocksOf(CUSTOMER, customer).map((block) => ({ ...block, timeMs: block.timeMs + 3_600_000 }));
  const first = new BufferedAligner(WAIT_MS);
  align(blocks.slice(0, 100), first, false);
  const callMs = first.positionMs;
  const second = new BufferedAligner(WAIT_MS, { callMs, callClock: first.callClock() as PackedClock });
  const out = align(
    retimed(blocks.slice(100), (timeMs) => timeMs - 601_000),
    second,
  );
  t.is(difference(spoken(out.customer), customer.slice(100 * 512)), 'the same');
});

test('audio that has waited long enough is settled once when no block arrives', (t) => {
  const aligner = new BufferedAligner(WAIT_MS);
  const takeAll = () => {
    while (aligner.take(250));
  };
  const blocks = inOrder(
    blocksOf(CUSTOMER, distinctSamples(2 * SECOND, 1)),
    blocksOf(AGENT, distinctSamples(SECOND, 2)),
  );
  for (const block of blocks.slice(0, 32)) {
    aligner.add(block);
    takeAll();
  }
  t.is(aligner.dueMs, undefined, 'both tracks are there: nothing waits');
  t.is(aligner.positionMs, 1000);
  const late = { ...(blocks[32] as AudioBlock), timeMs: 1024 + 82, arrivedAtMs: 2000 };
  aligner.add(late);
  takeAll();
  t.is(aligner.dueMs, 2000 + WAIT_MS, 'the late block waits');
  aligner.settle(2000 + WAIT_MS);
  takeAll();
  t.is(aligner.dueMs, undefined);
  t.is(aligner.reachMs, 1024 + 82 + BLOCK_MS, 'it follows an absence');
  t.is(aligner.positionMs, 1000, 'less than 200 ms of audio still waits for the other track');
});

test('audio of one track waits for the other no longer when no block arrives', (t) => {
  const aligner = new BufferedAligner(WAIT_MS);
  const takeAll = () => {
    while (aligner.take(250));
  };
  const customer = blocksOf(CUSTOMER, distinctSamples(3 * SECOND, 1));
  const agent = blocksOf(AGENT, distinctSamples(SECOND, 2));
  const fragment = (from: number, to: number, arrivedAtMs: number) => {
    const isIn = ({ timeMs }: AudioBlock) => timeMs >= from && timeMs < to;
    for (const block of inOrder(customer, agent).filter(isIn)) aligner.add({ ...block, arrivedAtMs });
    takeAll();
  };
  fragment(0, 1000, 1000);
  t.is(aligner.dueMs, undefined);
  fragment(1000, 2000, 2000);
  t.is(aligner.dueMs, 2000 + WAIT_MS);
  aligner.settle(2000 + WAIT_MS);
  takeAll();
  t.is(aligner.positionMs, 2048);
  t.is(aligner.dueMs, undefined);
});

test('a piece is never longer than asked for, however long the gap that it fills', (t) => {
  const aligner = new BufferedAligner(WAIT_MS);
  const [first, last] = blocksOf(CUSTOMER, distinctSamples(1024)) as [AudioBlock, AudioBlock];
  aligner.add(first);
  aligner.add({ ...last, timeMs: 300_000 });
  aligner.finish();
  let longest = 0;
  for (let piece = aligner.take(250); piece; piece = aligner.take(250))
    longest = Math.max(longest, piece.frames.length);
  t.is(longest, 250 * SAMPLES_PER_MS);
  t.is(aligner.positionMs, 300_064);
});

for (const [how, mostLater] of [
  ['arrive together', 7],
  ['arrive one by one', 3],
] as const) {
  test(`a block that comes after later ones of its fragment is put in its place when they ${how}`, (t) => {
    const random = randomFrom(1);
    const agent = distinctSamples(5 * SECOND, 2);
    const customer = distinctSamples(5 * SECOND, 1);
    for (let call = 0; call < 100; call++) {
      const isOfFragment = ({ timeMs }: AudioBlock) => timeMs >= 2048 && timeMs < 3072;
      const tracks = [blocksOf(CUSTOMER, customer), blocksOf(AGENT, agent)];
      const [one, two] = tracks.map((blocks) => {
        const own = blocks.filter(isOfFragment).map((block) => ({ ...block, arrivedAtMs: 3072 }));
        const at = Math.floor(random() * (own.length - 2));
        own.splice(at + 2 + Math.floor(random() * (mostLater - 1)), 0, ...own.splice(at, 1));
        return own;
      }) as [AudioBlock[], AudioBlock[]];
      const fragment = one.flatMap((block, nth) => [block, two[nth] as AudioBlock]);
      const aligner = new BufferedAligner(WAIT_MS);
      const pieces = [
        align(
          inOrder(...tracks).filter(({ timeMs }) => timeMs < 2048),
          aligner,
          false,
        ),
      ];
      if (how === 'arrive together') for (const block of fragment) aligner.add(block);
      else for (const block of fragment) pieces.push(align([block], aligner, false));
      pieces.push(
        align(
          inOrder(...tracks).filter(({ timeMs }) => timeMs >= 3072),
          aligner,
        ),
      );
      const heard = (name: 'customer' | 'agent') => Int16Array.from(pieces.flatMap((piece) => [...piece[name]]));
      t.is(difference(heard('customer'), customer), 'the same', `call ${call}`);
      t.is(difference(heard('agent'), agent), 'the same', `call ${call}`);
      t.is(aligner.gapMs, 0);
    }
  });
}

test('an inexact time that happens to be where the track ends does not swap two blocks', (t) => {
  const offMs = [0, 40, -BLOCK_MS, 24, 0, 0, 0, 0, 0, 0, 0, 0];
  const customer = distinctSamples(offMs.length * 512);
  const blocks = blocksOf(CUSTOMER, customer).map((block, nth) => ({
    ...block,
    timeMs: block.timeMs + (offMs[nth] as number),
  }));
  t.is(difference(spoken(align(blocks).customer), customer), 'the same');
});

test('times that become inexact in mid-call interrupt nothing', (t) => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed);
    const [customer, agent] = [distinctSamples(5 * SECOND), distinctSamples(5 * SECOND, 2)];
    const inexact = (ms: number) => Math.round(ms < 2000 ? ms : ms + (2 * random() - 1) * 60);
    const blocks = retimed(inOrder(blocksOf(0, customer), blocksOf(1, agent)), inexact);
    const heard = align(blocks);
    t.is(difference(heard.customer, customer), 'the same', `seed ${seed}`);
    t.is(difference(heard.agent, agent), 'the same', `seed ${seed}`);
  }
});

for (const blockMs of [10, 20, 32, 64, 192]) {
  test(`a minute in blocks of ${blockMs} ms is left out when it comes again`, (t) => {
    const samples = distinctSamples(90 * SECOND);
    const blocks = blocksOf(0, samples, [blockMs * SAMPLES_PER_MS]);
    const upTo = (ms: number) => blocks.filter(({ timeMs }) => timeMs < ms);
    const again = upTo(80_000).filter(({ timeMs }) => timeMs >= 20_000);
    const { customer, aligner } = align([...upTo(80_000), ...again, ...blocks.slice(upTo(80_000).length)]);
    t.is(difference(customer, samples), 'the same');
    t.is(aligner.repeatedMs, again.length * blockMs);
  });
}

test('audio that comes again in other blocks is left out to its last sample', (t) => {
  const samples = distinctSamples(4 * SECOND);
  const blocks = blocksOf(0, samples);
  const upTo = blocks.findIndex(({ timeMs }) => timeMs >= 3000);
  const endMs = (blocks[upTo] as AudioBlock).timeMs;
  const last = samples.slice((endMs - 1000) * SAMPLES_PER_MS, endMs * SAMPLES_PER_MS);
  const again = retimed(blocksOf(0, last, [160]), (ms) => endMs - 1000 + ms);
  const { customer, aligner } = align([...blocks.slice(0, upTo), ...again, ...blocks.slice(upTo)]);
  t.is(difference(customer, samples), 'the same');
  t.is(aligner.repeatedMs, 1000);
});

for (const [name, content] of [
  ['digital silence', () => new Int16Array(512)],
  ['a tone', (at: number) => Int16Array.from({ length: 512 }, (_, i) => 1 + ((at + i) % 160))],
] as const) {
  test(`${name} is no repetition where a time is early by no more than an inexact one may be`, (t) => {
    const customer = distinctSamples(20 * SECOND);
    const tone = new Int16Array(300 * 512);
    for (let at = 0; at < tone.length; at += 512) tone.set(content(at), at);
    const isEarly = (timeMs: number) => timeMs > 5000 && timeMs % (64 * 37) === 0;
    for (const byMs of [40, 60, 61]) {
      const agent = retimed(blocksOf(AGENT, tone), (ms) => (isEarly(ms) ? ms - byMs : ms));
      const whole = blocksOf(CUSTOMER, customer.subarray(0, tone.length));
      const { aligner, customer: heard } = align(whole.flatMap((block, i) => [block, agent[i] as AudioBlock]));
      t.is(aligner.repeatedMs, 0, `early by ${byMs} ms`);
      t.is(difference(heard, customer.subarray(0, tone.length)), 'the same', `early by ${byMs} ms`);
    }
  });
}
