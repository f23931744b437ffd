import test from 'ava';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { byteDifference } from '../support/byte-difference.ts';
import { randomFrom } from '../support/random.ts';
import { callAudio, LinkStage, RESULTS } from './link-stage.ts';

/** The customer of `callAudio` is loud all the time, the agent is silent. */
async function relayed() {
  const stage = new LinkStage();
  const taken: [offsetMs: number, connection: number][] = [];
  await stage.open(RESULTS, { onMessage: (_message, offsetMs, connection) => taken.push([offsetMs, connection]) });
  stage.link.relayResults({ finalMs: [0, 0], missing: () => {} });
  return { stage, taken };
}

test('a reconnect repeats what is not final, from 2 s before it', async (t) => {
  const { stage, taken } = await relayed();
  await stage.speak(20_000);
  stage.deepgram.socket.finalize(0, 10_000);
  stage.deepgram.socket.finalize(1, 12_000);
  await stage.speak(1000);
  await stage.lose(1006);
  await stage.speak(2000);
  const { socket } = stage.deepgram;
  t.is(socket.offsetMs, 8000);
  t.is(byteDifference(socket.audio.subarray(0, 4000 * BYTES_PER_MS), callAudio(8000, 12_000)), 'the same');
  socket.finalize(0, 3000);
  t.deepEqual(taken, [
    [0, 1],
    [0, 1],
    [8000, 2],
  ]);
});

test('a message comes with how far the call was sent on its connection', async (t) => {
  const stage = new LinkStage();
  const sent: number[] = [];
  await stage.open(RESULTS, { onMessage: (_message, _offsetMs, _connection, sentMs) => sent.push(sentMs) });
  stage.link.relayResults({ finalMs: [0, 0], missing: () => {} });
  await stage.speak(20_000);
  for (const channel of [0, 1]) stage.deepgram.socket.finalize(channel, 10_000);
  await stage.lose(1006);
  await stage.speak(1000);
  stage.deepgram.socket.finalize(0, 4000);
  t.deepEqual(sent, [20_000, 20_000, 21_000]);
});

test('audio that was final before a crash need not be final again', async (t) => {
  const stage = new LinkStage();
  await stage.open(RESULTS, { callMs: 7000, connections: 1 });
  stage.link.relayResults({ finalMs: [10_000, 9500], missing: () => {} });
  await stage.speak(6000);
  await stage.lose(1006);
  await stage.speak(1000);
  t.is(stage.deepgram.socket.offsetMs, 8000);
});

test('the resume point never passes audio that is not final, however much that is', async (t) => {
  const { stage } = await relayed();
  await stage.speak(5000);
  stage.deepgram.socket.finalize(0, 4000);
  await stage.speak(120_000);
  t.is(stage.link.safeMs, 1000);
  t.true(stage.link.stats().worstBufferBytes < 130_000 * BYTES_PER_MS);
});

test('the resume point follows final audio a few seconds later', async (t) => {
  const { stage } = await relayed();
  await stage.speak(20_000);
  stage.deepgram.socket.finalize(0, 18_000);
  stage.deepgram.socket.finalize(1, 18_000);
  t.is(stage.link.safeMs, 0);
  await stage.speak(5000);
  t.is(stage.link.safeMs, 15_000);
});

test('audio that was sent but is not final is reported when the line closes', async (t) => {
  const { stage } = await relayed();
  await stage.speak(6000);
  stage.deepgram.socket.finalize(0, 4000);
  stage.link.abandon();
  t.like(stage.link.notFinal, [{ channel: 0, fromMs: 4000, toMs: 6000 }]);
});

for (const closes of [true, false])
  test(`speech that has no final when Deepgram ${closes ? 'closes' : 'leaves the line open'} after its Metadata is missing`, async (t) => {
    const stage = new LinkStage();
    const missing: unknown[] = [];
    await stage.open(RESULTS);
    stage.link.relayResults({ finalMs: [0, 0], missing: (...each) => missing.push(each) });
    stage.deepgram.behavior.closesOnRequest = false;
    await stage.speak(6000);
    stage.deepgram.socket.finalize(0, 4000);
    const finished = stage.link.finish();
    await stage.clock.advance(100);
    stage.deepgram.socket.message({ type: 'Metadata' });
    if (closes) stage.deepgram.socket.close(1000);
    await stage.clock.advance(11_000);
    await finished;
    t.deepEqual(missing, [['no-results', { channel: 0, fromMs: 4000, toMs: 6000 }]]);
    t.is(stage.link.unfinishedMs, 0);
    t.deepEqual(stage.events(), []);
  });

test('a line that Deepgram leaves open when all is final is no reason for a warning', async (t) => {
  const { stage } = await relayed();
  stage.deepgram.behavior.closesOnRequest = false;
  await stage.speak(6000);
  const finished = stage.link.finish();
  await stage.clock.advance(100);
  for (const channel of [0, 1]) stage.deepgram.socket.finalize(channel, 6000);
  await stage.clock.advance(11_000);
  await finished;
  t.is(stage.link.unfinishedMs, 0);
  t.deepEqual(stage.events(), []);
});

test('what outgrew the buffer when a connection was lost is read again', async (t) => {
  const { stage } = await relayed();
  let goneBack = 0;
  stage.link.repeatBy(() => {
    goneBack++;
    stage.goBack(0);
    return 0;
  });
  await stage.speak(80_000);
  await stage.lose(1006);
  void stage.send(80_000);
  await stage.speak(5000);
  t.is(goneBack, 1);
  const { socket } = stage.deepgram;
  t.is(socket.offsetMs, 0);
  t.is(byteDifference(socket.audio.subarray(0, 80_000 * BYTES_PER_MS), callAudio(0, 80_000)), 'the same');
  t.is(stage.link.unfinishedMs, 0);
});

test('a start ten minutes into a call waits for its finals as long as they need, and repeats what has none', async (t) => {
  const stage = new LinkStage();
  const missing: unknown[] = [];
  await stage.open(RESULTS, { giveUpMs: 3_600_000 });
  stage.link.relayResults({ finalMs: [0, 0], missing: (...each) => missing.push(each) });
  stage.link.repeatBy(() => {
    const { safeMs } = stage.link;
    stage.goBack(safeMs);
    return safeMs;
  });
  void stage.send(600_000);
  // At 1.25 times real time.
  for (let finalMs = 1250; finalMs <= 500_000; finalMs += 1250) {
    await stage.clock.advance(1000);
    for (const channel of [0, 1]) stage.deepgram.socket.finalize(channel, finalMs);
  }
  t.is(stage.link.stats().audioMs, 600_000);
  t.true(stage.link.safeMs > 490_000 && stage.link.safeMs <= 497_000, `${stage.link.safeMs}`);
  await stage.lose(1011);
  await stage.clock.advance(1000);
  t.true(stage.deepgram.socket.offsetMs <= 498_000, `${stage.deepgram.socket.offsetMs}`);
  t.deepEqual(missing, []);
  t.is(stage.link.unfinishedMs, 0);
});

test('silence that a connection was sent and did not read is not unfinished', async (t) => {
  const stage = new LinkStage();
  await stage.open(RESULTS, { replayMs: 6000 });
  stage.link.relayResults({ finalMs: [0, 0], missing: () => t.fail() });
  await stage.speak(5000);
  stage.deepgram.socket.finalize(0, 5000);
  await stage.pause(3000);
  Object.assign(stage.deepgram.behavior, { answersPings: false, acknowledges: false });
  await stage.lose(1006);
  await stage.pause(5000);
  await stage.lose(1006);
  await stage.pause(1000);
  t.is(stage.deepgram.sockets.length, 3);
  t.is(stage.link.unfinishedMs, 0);
});

test('silence without finals is not read again, however long it is', async (t) => {
  const { stage } = await relayed();
  stage.link.repeatBy(() => t.fail() as never);
  await stage.speak(5000);
  stage.deepgram.socket.finalize(0, 5000);
  await stage.pause(180_000);
  await stage.lose(1006);
  await stage.speak(1000);
  t.true(stage.deepgram.socket.offsetMs > 182_000);
});

test('what outgrew the buffer when a connection was lost is missing, and said to be', async (t) => {
  const missing: unknown[] = [];
  const stage = new LinkStage();
  await stage.open(RESULTS);
  stage.link.relayResults({ finalMs: [0, 0], missing: (...each) => missing.push(each) });
  await stage.speak(80_000);
  await stage.lose(1006);
  await stage.speak(1000);
  const { offsetMs } = stage.deepgram.socket;
  t.is(offsetMs, 20_000);
  t.deepEqual(missing, [['unfinished', { channel: 0, fromMs: 0, toMs: offsetMs }]]);
});

test('no break skips what is not final, however long finals stay away', async (t) => {
  for (let seed = 1; seed <= 2; seed++) {
    const random = randomFrom(seed);
    const stage = new LinkStage();
    await stage.open(RESULTS);
    let finalMs = 0;
    let reachedMs = 0;
    /** What Kinesis no longer has counts as told. */
    let toldMs = 0;
    stage.link.relayResults({
      get finalMs() {
        return [finalMs, 0] as const;
      },
      missing: (cause, { toMs }) => {
        t.is(cause, 'no-results');
        toldMs = Math.max(toldMs, toMs);
      },
    });
    let goneBack = 0;
    let isBehind = false;
    stage.link.repeatBy(() => {
      goneBack++;
      isBehind = true;
      stage.goBack(stage.link.safeMs);
      return stage.link.safeMs;
    });
    for (let round = 0; round < 8; round++) {
      const spokenMs = Math.ceil(random() * 1800) * 100;
      await stage.speak(spokenMs);
      const { socket } = stage.deepgram;
      reachedMs = Math.max(reachedMs, socket.endMs);
      if (random() < 0.5) {
        const endMs = socket.offsetMs + Math.floor(random() * (socket.endMs - socket.offsetMs));
        socket.finalize(0, endMs - socket.offsetMs);
        finalMs = Math.max(finalMs, endMs);
      }
      await stage.lose(random() < 0.5 ? 1006 : 1011);
      if (isBehind) void stage.send(Math.max(100, reachedMs - stage.link.safeMs));
      isBehind = false;
      await stage.speak(2000);
      t.true(stage.deepgram.socket.offsetMs <= Math.max(finalMs, toldMs), `seed ${seed}, round ${round}`);
    }
    t.is(stage.link.unfinishedMs, 0);
    t.true(goneBack > 0);
    stage.link.abandon();
  }
});
