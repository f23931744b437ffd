import test, { type ExecutionContext } from 'ava';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { DeepgramRefused, DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { BUFFER_BYTES } from '../../daemon/deepgram/replay-window.ts';
import { runsOf } from '../support/audio-runs.ts';
import { byteDifference } from '../support/byte-difference.ts';
import { CALLBACK, callAudio, LinkStage, REPLAY_MS, RESULTS } from './link-stage.ts';

async function opened(...args: Parameters<LinkStage['open']>): Promise<LinkStage> {
  const stage = new LinkStage();
  await stage.open(...args);
  return stage;
}

/** No timer is left. */
async function assertIdle(t: ExecutionContext, { clock }: LinkStage): Promise<void> {
  await clock.advance(100);
  t.is(clock.pending, 0);
}

function refused(status: number): DeepgramRefused {
  return new DeepgramRefused(status, status === 400 ? 'Bad Request' : undefined, 'request-refused');
}

test('the caller gets the first handshake’s refusal, connection error or abort reason, and nothing is left running', async (t) => {
  const stage = new LinkStage();
  stage.deepgram.handshakes.push(refused(402), new DeepgramUnreachable('example.org', new Error('ECONNREFUSED')));
  await t.throwsAsync(stage.open(), { instanceOf: DeepgramRefused });
  await t.throwsAsync(stage.open(), { instanceOf: DeepgramUnreachable });
  t.like(stage.metrics.snapshot().counts.refusals, { 402: 1, unreachable: 1 });
  stage.deepgram.handshakes.push('hang');
  const caller = new AbortController();
  const opening = stage.open(CALLBACK, {}, caller.signal);
  const reason = new Error('the caller hung up');
  caller.abort(reason);
  t.is(await t.throwsAsync(opening), reason);
  await assertIdle(t, stage);
});

test('audio is sent at once, in equal messages of at most MESSAGE_MS, and counted once; replays are counted separately', async (t) => {
  const stage = await opened();
  void stage.send(250);
  void stage.send(300);
  t.deepEqual(
    stage.deepgram.socket.messageBytes,
    [250, 150, 150].map((ms) => ms * BYTES_PER_MS),
  );
  await stage.speak(1000);
  await stage.lose(1006);
  await stage.speak(3000);
  t.like(stage.link.stats(), { audioMs: 4550, replayedMs: 1550, requestIds: ['request-1', 'request-2'] });
  const { audioOutMs, replayedMs, deepgramBytes, reconnects } = stage.metrics.snapshot().counts;
  t.deepEqual([audioOutMs, replayedMs, deepgramBytes / BYTES_PER_MS], [4550, 1550, 6100]);
  t.is(reconnects[1006], 1);
});

/** Lags to the ms: the edge may drift by a little. */
function lagsOf({ link }: LinkStage): [nowMs: number, worstMs: number] {
  const { lagMs, worstLagMs } = link.stats();
  return [Math.round(lagMs), Math.round(worstLagMs)];
}

test('the lag ends when the kernel has taken the audio, and grows while it waits for that', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.takesAudio = false;
  void stage.send(64);
  t.deepEqual(lagsOf(stage), [0, 0]);
  await stage.clock.advance(300);
  t.deepEqual(lagsOf(stage), [300, 300]);
  await stage.clock.advance(400);
  stage.deepgram.socket.drain();
  t.deepEqual(lagsOf(stage), [700, 700]);
  stage.deepgram.behavior.takesAudio = true;
  // What arrived meanwhile.
  void stage.send(700);
  await stage.clock.advance(100);
  const { sums, counts } = stage.metrics.snapshot().counts.lagMs;
  await stage.speak(4000);
  t.deepEqual([sums, counts].flat().filter(Boolean), []);
  t.true(Math.abs(lagsOf(stage)[1] - 700) < 3);
  const lags = stage.metrics.snapshot().counts.lagMs;
  t.is(
    lags.counts.reduce((sum, count) => sum + count),
    Math.floor((64 + 700 + 4000) / 64),
  );
});

test('an outage of Deepgram shows while it lasts, and repeated audio does not count again', async (t) => {
  const stage = await opened();
  await stage.speak(6400);
  stage.deepgram.handshakes.push(...Array(20).fill(new DeepgramUnreachable('example.org', new Error('away'))));
  await stage.lose(1006);
  await stage.speak(10_000);
  t.true(Math.abs(lagsOf(stage)[0] - 10_000) < 100, String(lagsOf(stage)));
  const count = () => stage.metrics.snapshot().counts.lagMs.counts.reduce((sum, each) => sum + each);
  t.is(count(), 100);
});

test('silence in place of missing audio is not late', async (t) => {
  const stage = await opened();
  await stage.speak(3200);
  await stage.clock.advance(5000);
  stage.link.liveEdge.arrived(3200 + 5000 + 100, stage.clock.now());
  for (const run of runsOf(stage.link.buffer, Buffer.alloc(5000 * BYTES_PER_MS), undefined)) void stage.link.send(run);
  t.true(lagsOf(stage)[1] < 100, String(lagsOf(stage)));
});

test('without audio a KeepAlive is sent every 4 s; with audio none', async (t) => {
  const stage = await opened();
  await stage.speak(5000);
  const { socket } = stage.deepgram;
  t.deepEqual(socket.keepAlivesAtMs, []);
  const silentSinceMs = stage.clock.now() - 100;
  await stage.clock.advance(13_000);
  // The connection is checked every 500 ms.
  t.deepEqual(
    socket.keepAlivesAtMs.map((ms) => Math.floor((ms - silentSinceMs) / 1000)),
    [4, 8, 12],
  );
  t.is(stage.metrics.snapshot().counts.keepAlives, 3);
});

test('no KeepAlive follows CloseStream', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.closesOnRequest = false;
  const finished = stage.link.finish();
  await stage.clock.advance(11_000);
  await finished;
  t.deepEqual(stage.deepgram.socket.keepAlivesAtMs, []);
});

test('a ping follows every second of audio; in silence every 2 s', async (t) => {
  const stage = await opened();
  const startMs = stage.clock.now();
  await stage.speak(5000);
  const { pingsAtMs } = stage.deepgram.socket;
  t.deepEqual(
    pingsAtMs.map((ms) => ms - startMs),
    [900, 1900, 2900, 3900, 4900],
  );
  await stage.clock.advance(10_000);
  const waitsMs = pingsAtMs.map((ms, i) => ms - (pingsAtMs[i - 1] ?? 0)).slice(5);
  t.true(waitsMs.length >= 4);
  // The connection is checked every 500 ms.
  t.true(
    waitsMs.every((ms) => ms >= 2000 && ms <= 2600),
    `${waitsMs}`,
  );
});

for (const [during, pass] of [
  ['while audio flows', (stage: LinkStage) => stage.speak(10_000)],
  ['in silence', (stage: LinkStage) => stage.clock.advance(10_000)],
] as const) {
  test(`a half-open line is noticed within 10 s ${during}, and replaced`, async (t) => {
    const stage = await opened();
    await stage.speak(3000);
    Object.assign(stage.deepgram.behavior, { answersPings: false, acknowledges: false });
    const [broken] = stage.deepgram.sockets;
    await pass(stage);
    t.true(broken?.isClosed);
    Object.assign(stage.deepgram.behavior, { answersPings: true, acknowledges: true });
    await stage.clock.advance(5000);
    t.is(stage.deepgram.sockets.length, 2);
    t.is(byteDifference(stage.received(), callAudio(0, stage.link.stats().audioMs)), 'the same');
  });
}

for (const [random, share] of [
  [0, 0.5],
  [1 - 1e-9, 1],
] as const) {
  test(`reconnects back off from 250 ms to 5 s; with random ${random.toFixed(1)} each delay is ${share} of that`, async (t) => {
    const stage = await opened(CALLBACK, { random: () => random });
    const unreachable = new DeepgramUnreachable('example.org', new Error('ECONNREFUSED'));
    stage.deepgram.handshakes.push(...Array.from({ length: 6 }, () => unreachable));
    const lostAtMs = stage.clock.now();
    await stage.lose(1006);
    await stage.clock.advance(40_000);
    const [, ...attemptsAtMs] = stage.deepgram.handshakesAtMs;
    const waitsMs = attemptsAtMs.map((ms, i) => ms - (attemptsAtMs[i - 1] ?? lostAtMs));
    const fullMs = [250, 500, 1000, 2000, 4000, 5000, 5000];
    t.is(waitsMs.length, fullMs.length);
    for (const [i, ms] of waitsMs.entries()) {
      const least = (fullMs[i] as number) * share;
      // The timers are up to a tick of 20 ms late.
      t.true(ms >= least && ms <= least + 40, `wait ${i}: ${ms} ms`);
    }
    t.is(stage.deepgram.sockets.length, 2);
    t.deepEqual(stage.events(), [...Array.from({ length: 7 }, () => 'deepgram.lost'), 'deepgram.reconnected']);
  });
}

test('after DEEPGRAM_GIVE_UP_MS without Deepgram the line fails with the error of the last attempt', async (t) => {
  const stage = await opened(CALLBACK, { giveUpMs: 8000 });
  stage.deepgram.handshakes.push(...Array.from({ length: 20 }, () => refused(503)));
  const lostAtMs = stage.clock.now();
  await stage.lose(1006);
  void stage.send(1000);
  await stage.clock.advance(8000);
  void stage.send(1000);
  await stage.clock.advance(5000);
  const error = (await stage.link.ended) as Error;
  t.regex(error.message, /HTTP 503/);
  const lastAttemptMs = (stage.deepgram.handshakesAtMs.at(-1) as number) - lostAtMs;
  t.true(lastAttemptMs > 8000 && lastAttemptMs <= 13_000, `${lastAttemptMs} ms`);
  t.is(
    t.throws(() => stage.send(100)),
    error,
  );
  t.is(await t.throwsAsync(stage.link.finish()), error);
  t.is(stage.metrics.snapshot().counts.refusals['5xx'], stage.deepgram.handshakesAtMs.length - 1);
  await assertIdle(t, stage);
});

test('an outage of 20 s loses no audio', async (t) => {
  const stage = await opened();
  await stage.speak(5000);
  const unreachable = new DeepgramUnreachable('example.org', new Error('ECONNREFUSED'));
  stage.deepgram.handshakes.push(...Array.from({ length: 8 }, () => unreachable));
  await stage.lose(1006);
  await stage.speak(20_000);
  t.is(stage.deepgram.sockets.length, 1);
  await stage.speak(5000);
  t.is(stage.deepgram.sockets.length, 2);
  const finished = stage.link.finish();
  await stage.clock.advance(2000);
  await finished;
  t.is(byteDifference(stage.received(), callAudio(0, 30_000)), 'the same');
});

for (const status of [400, 401, 402, 403]) {
  test(`a reconnect refused with ${status} fails the line at once`, async (t) => {
    const stage = await opened();
    stage.deepgram.handshakes.push(refused(status));
    await stage.lose(1006);
    await stage.clock.advance(1000);
    t.like(await stage.link.ended, { name: 'DeepgramRefused', status });
    t.is(stage.deepgram.handshakesAtMs.length, 2);
    await assertIdle(t, stage);
  });
}

test('a reconnect’s handshake is aborted after 5 s and retried', async (t) => {
  const stage = await opened();
  stage.deepgram.handshakes.push('hang');
  await stage.lose(1006);
  await stage.speak(4000);
  t.is(stage.deepgram.handshakesAtMs.length, 2);
  await stage.speak(3000);
  const [, secondMs, thirdMs] = stage.deepgram.handshakesAtMs as [number, number, number];
  t.true(thirdMs - secondMs >= 5000 && thirdMs - secondMs <= 5600, `${thirdMs - secondMs} ms`);
  t.deepEqual(stage.events(), ['deepgram.lost', 'deepgram.lost', 'deepgram.reconnected']);
  t.is(byteDifference(stage.received(), callAudio(0, 7000)), 'the same');
});

for (const code of [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 4000]) {
  test(`after a close with ${code} during a call the link reconnects without loss`, async (t) => {
    const stage = await opened();
    await stage.speak(3000);
    await stage.lose(code, 'why');
    await stage.speak(3000);
    t.is(stage.deepgram.sockets.length, 2);
    t.like(stage.log[0], { event: 'deepgram.lost', code, closeReason: 'why' });
    t.is(byteDifference(stage.received(), callAudio(0, 6000)), 'the same');
  });
}

test('in callback mode a reconnect repeats REPLAY_MS plus 1 s, and `extra` has its offset in the call', async (t) => {
  const stage = await opened({ ...CALLBACK, extra: 'mine:1' });
  await stage.speak(10_000);
  await stage.clock.advance(1000);
  await stage.lose(1006);
  await stage.speak(1000);
  const [first, second] = stage.deepgram.sockets;
  t.is(first?.params['extra'], 'mine:1');
  t.deepEqual(second?.params['extra'], ['mine:1', 'dgintegrator_offset_ms:7000', 'dgintegrator_connection:2']);
  t.is(byteDifference(second?.audio, callAudio(9000 - REPLAY_MS, 11_000)), 'the same');
  t.like(stage.log[1], { event: 'deepgram.reconnected', requestId: 'request-2', offsetMs: 7000, replayedMs: 3000 });
});

test('a reconnect repeats all audio that Deepgram has not confirmed', async (t) => {
  const stage = await opened(CALLBACK, { replayMs: 500 });
  await stage.speak(3000);
  stage.deepgram.behavior.answersPings = false;
  await stage.speak(1500);
  await stage.lose(1006);
  await stage.speak(1000);
  const { offsetMs } = stage.deepgram.socket;
  t.true(offsetMs > 2400 && offsetMs <= 3000, `${offsetMs}: the ping at 3 s was the last one answered`);
});

test('when results come back, a reconnect repeats what is not final on both channels', async (t) => {
  const stage = await opened(RESULTS);
  await stage.speak(10_000);
  await stage.clock.advance(1000);
  stage.deepgram.socket.finalize(0, 9000);
  stage.deepgram.socket.finalize(1, 6500);
  await stage.lose(1006);
  await stage.speak(1000);
  t.is(stage.deepgram.socket.offsetMs, 6500);
  stage.deepgram.socket.finalize(0, 3000);
  stage.deepgram.socket.finalize(1, 2000);
  await stage.lose(1006);
  await stage.speak(1000);
  t.is(stage.deepgram.socket.offsetMs, 8500, 'times count from the connection’s time 0');
  t.is(byteDifference(stage.received(), callAudio(0, 12_000)), 'the same');
});

test('without any results, at most half of the buffer is kept', async (t) => {
  const stage = await opened(RESULTS);
  await stage.speak(30_000);
  await stage.clock.advance(1000);
  await stage.lose(1006);
  await stage.speak(1000);
  t.is(stage.deepgram.socket.offsetMs, 30_000 - BUFFER_BYTES / 2 / BYTES_PER_MS);
  t.true(stage.link.stats().worstBufferBytes <= BUFFER_BYTES);
});

for (const [mode, params] of [
  ['with a callback', CALLBACK],
  ['when results come back', RESULTS],
] as const) {
  test(`safeMs never decreases, after a crash and across reconnects, ${mode}`, async (t) => {
    const stage = await opened(params, { callMs: 8192, connections: 1 });
    const safeMs = [stage.link.safeMs];
    for (let second = 1; second <= 12; second++) {
      await stage.speak(1000);
      if (second % 3 === 0) stage.deepgram.socket.finalize(0, 1500);
      if (second % 3 === 0) stage.deepgram.socket.finalize(1, 1200);
      safeMs.push(stage.link.safeMs);
      if (second % 4 === 0) stage.deepgram.socket.close(1006);
      await stage.clock.settle();
      safeMs.push(stage.link.safeMs);
    }
    t.is(safeMs[0], 8192);
    t.deepEqual(
      safeMs,
      safeMs.toSorted((one, other) => one - other),
    );
    t.true((safeMs.at(-1) as number) > 8192);
    t.true(stage.deepgram.sockets.every(({ offsetMs }) => offsetMs >= 8192));
    t.is(stage.link.connections, 4);
  });
}

test('a full buffer holds the sender back, in bounded memory, until Deepgram takes audio again', async (t) => {
  const stage = await opened();
  await stage.speak(2000);
  stage.deepgram.behavior.takesAudio = false;
  // What is on its way may be processed meanwhile, and need not be kept then.
  void stage.send(3000);
  await stage.clock.advance(3000);
  const room = stage.fill();
  let isReleased = false;
  void room.then(() => {
    isReleased = true;
  });
  t.true(stage.link.stats().worstBufferBytes > BUFFER_BYTES);
  // And what was sent since the last pong, less the second in which a final comes.
  t.true(stage.link.stats().worstBufferBytes <= BUFFER_BYTES + 1100 * BYTES_PER_MS);
  await stage.clock.advance(3000);
  t.false(isReleased);
  const { audioMs } = stage.link.stats();
  stage.deepgram.behavior.takesAudio = true;
  stage.deepgram.socket.drain();
  await stage.clock.advance(1000);
  t.true(isReleased);
  t.true(stage.link.stats().audioMs > audioMs);
  t.is(stage.send(100), undefined);
  await stage.clock.advance(60_000);
  t.is(byteDifference(stage.received(), callAudio(0, stage.link.stats().audioMs)), 'the same');
});

test('a sender that waits for room is released when the line fails', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.takesAudio = false;
  const room = stage.fill();
  stage.deepgram.handshakes.push(refused(401));
  await stage.lose(1006);
  await stage.clock.advance(1000);
  await room;
  t.throws(() => stage.send(100), { instanceOf: DeepgramRefused });
});

test('finish sends CloseStream only after all audio, and waits for the close', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.takesAudio = false;
  void stage.send(5000);
  const { socket } = stage.deepgram;
  let isFinished = false;
  const finished = stage.link.finish().then(() => {
    isFinished = true;
  });
  await stage.clock.advance(3000);
  t.is(socket.closeStreamAtMs, undefined);
  stage.deepgram.behavior.takesAudio = true;
  stage.deepgram.behavior.closesOnRequest = false;
  socket.drain();
  await stage.clock.advance(3000);
  t.not(socket.closeStreamAtMs, undefined);
  t.is(byteDifference(socket.audio, callAudio(0, 5000)), 'the same');
  t.false(isFinished);
  socket.close(1000);
  await finished;
  t.is(await stage.link.ended, undefined);
  t.deepEqual(stage.events(), []);
  await assertIdle(t, stage);
});

test('finish times out 10 s after CloseStream, with a warning and without an error', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.closesOnRequest = false;
  await stage.speak(1000);
  const finished = stage.link.finish();
  await stage.clock.advance(9900);
  t.false(stage.deepgram.socket.isClosed);
  await stage.clock.advance(200);
  t.true(stage.deepgram.socket.isClosed);
  await finished;
  t.like(stage.log, [{ event: 'deepgram.unfinished', requestId: 'request-1' }]);
  await assertIdle(t, stage);
});

test('finish during an outage sends the remaining audio and CloseStream on the next connection', async (t) => {
  const stage = await opened();
  await stage.speak(3000);
  await stage.lose(1006);
  void stage.send(500);
  const finished = stage.link.finish();
  await stage.clock.advance(1000);
  await finished;
  const [first, second] = stage.deepgram.sockets;
  t.is(first?.closeStreamAtMs, undefined);
  t.not(second?.closeStreamAtMs, undefined);
  t.is(byteDifference(stage.received(), callAudio(0, 3500)), 'the same');
});

test('a connection that breaks after CloseStream, before the last results, is replaced by one that finishes', async (t) => {
  const stage = await opened();
  await stage.speak(3000);
  stage.deepgram.behavior.closesOnRequest = false;
  const finished = stage.link.finish();
  await stage.clock.settle();
  stage.deepgram.behavior.closesOnRequest = true;
  await stage.lose(1006);
  await stage.clock.advance(1000);
  await finished;
  t.is(stage.deepgram.sockets.length, 2);
  t.not(stage.deepgram.socket.closeStreamAtMs, undefined);
  t.is(byteDifference(stage.received(), callAudio(0, 3000)), 'the same');
});

test('a close frame ends a connection although its TCP stays open: CloseStream goes to the next one', async (t) => {
  const stage = await opened();
  await stage.speak(1000);
  const first = stage.deepgram.socket;
  first.sendClose(1000);
  void stage.send(100);
  const finished = stage.link.finish();
  await stage.clock.advance(2000);
  await finished;
  t.is(first.closeStreamAtMs, undefined);
  t.is(first.endMs, 1000, 'no audio was written to it');
  const { socket } = stage.deepgram;
  t.not(socket, first);
  t.is(socket.endMs, 1100);
  t.not(socket.closeStreamAtMs, undefined);
  t.deepEqual(stage.events(), ['deepgram.lost', 'deepgram.reconnected']);
  await assertIdle(t, stage);
});

test('abandon closes an open line at once', async (t) => {
  const stage = await opened();
  await stage.speak(1000);
  stage.link.abandon();
  t.true(stage.deepgram.socket.isClosed);
  t.is(stage.deepgram.socket.closeStreamAtMs, undefined);
  t.is(await stage.link.ended, undefined);
  await assertIdle(t, stage);
});

test('abandon ends the wait for the last results', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.closesOnRequest = false;
  const finished = stage.link.finish();
  await stage.clock.settle();
  stage.link.abandon();
  await finished;
  t.true(stage.deepgram.socket.isClosed);
  await assertIdle(t, stage);
});

test('abandon ends an outage, between and during handshakes', async (t) => {
  for (const [waitMs, handshakes] of [
    [0, 1],
    [1000, 2],
  ] as const) {
    const stage = await opened();
    stage.deepgram.handshakes.push('hang');
    await stage.lose(1006);
    await stage.clock.advance(waitMs);
    stage.link.abandon();
    t.is(await stage.link.ended, undefined);
    await stage.clock.advance(10_000);
    t.is(stage.deepgram.handshakesAtMs.length, handshakes);
    t.is(stage.deepgram.pendingHandshakes, 0);
    t.is(stage.deepgram.sockets.length, 1);
    t.deepEqual(stage.events(), ['deepgram.lost']);
    await assertIdle(t, stage);
  }
});

for (const pongMs of [1500, 3000, 8000, 20_000, Infinity]) {
  test(`pongs that are ${pongMs} ms late hold back no audio and cost no connection`, async (t) => {
    const stage = await opened();
    stage.deepgram.behavior.pongMs = pongMs;
    stage.deepgram.behavior.answersPings = pongMs < Infinity;
    await stage.speak(60_000);
    t.is(stage.deepgram.sockets.length, 1);
    t.true(stage.link.stats().worstLagMs <= REPLAY_MS, `${stage.link.stats().worstLagMs} ms`);
    t.true(stage.received().equals(callAudio(0, 60_000)));
    t.true(stage.link.stats().worstBufferBytes <= BUFFER_BYTES);
  });
}

test('a peer that answers no ping and has acknowledged all gets the last 10 s again, not the whole call', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.answersPings = false;
  await stage.speak(30_000);
  await stage.lose(1006);
  await stage.speak(1000);
  t.is(stage.deepgram.socket.offsetMs, 20_000);
});

test('a line that goes silent has processed nothing since its last pong: everything after it is repeated', async (t) => {
  const stage = await opened(CALLBACK, { replayMs: 6000 });
  await stage.speak(20_000);
  void stage.send(12_000);
  await stage.clock.advance(2000);
  stage.deepgram.behavior.answersPings = false;
  stage.deepgram.behavior.acknowledges = false;
  await stage.speak(11_000);
  t.is(stage.deepgram.sockets.length, 2);
  // It can have processed the call up to 20 s, and 3.5 s at 1.25 x: silence shows 1.5 s after the last answer.
  t.true(stage.deepgram.socket.offsetMs <= 20_000 + 3500 * 1.25 - 7000, `${stage.deepgram.socket.offsetMs}`);
  t.is(stage.link.unfinishedMs, 0);
});

test('a late first pong takes nothing back that was released on TCP’s word', async (t) => {
  const stage = await opened();
  stage.deepgram.behavior.pongMs = 14_000;
  await stage.speak(15_500);
  await stage.lose(1011);
  await stage.speak(1000);
  t.is(stage.link.unfinishedMs, 0);
});

test('a backlog of a minute after CloseStream keeps a line that answers no ping', async (t) => {
  const stage = await opened();
  Object.assign(stage.deepgram.behavior, { answersPings: false, closesOnRequest: false });
  await stage.speak(40_000);
  void stage.send(60_000);
  const finished = stage.link.finish();
  await stage.clock.advance(48_000);
  t.is(stage.deepgram.sockets.length, 1);
  stage.deepgram.socket.close(1000);
  await finished;
});

test('a line that falls silent after CloseStream is replaced, although its TCP acknowledges everything', async (t) => {
  const stage = await opened(RESULTS);
  stage.deepgram.behavior.closesOnRequest = false;
  await stage.speak(10_000);
  for (const channel of [0, 1]) stage.deepgram.socket.finalize(channel, 6000);
  stage.deepgram.behavior.answersPings = false;
  const finished = stage.link.finish();
  await stage.clock.advance(9000);
  t.is(stage.deepgram.sockets.length, 1);
  stage.deepgram.behavior.closesOnRequest = true;
  await stage.clock.advance(3000);
  await finished;
  t.is(stage.deepgram.sockets.length, 2);
  t.is(stage.deepgram.socket.offsetMs, 6000);
});

test('a line that is lost after CloseStream leaves nothing unfinished that an earlier one can have processed', async (t) => {
  const stage = await opened();
  await stage.speak(20_000);
  stage.deepgram.behavior.closesOnRequest = false;
  const finished = stage.link.finish();
  await stage.clock.advance(3000);
  await stage.lose(4000);
  await stage.clock.advance(500);
  await stage.lose(1011);
  await finished;
  t.is(stage.deepgram.sockets.length, 2);
  t.is(stage.link.unfinishedMs, 0);
});

test('results keep a line alive that answers no ping, and confirm the audio that they cover', async (t) => {
  const stage = await opened(RESULTS);
  Object.assign(stage.deepgram.behavior, { answersPings: false, acknowledges: undefined });
  for (let second = 1; second <= 40; second++) {
    await stage.speak(1000);
    for (const channel of [0, 1]) stage.deepgram.socket.finalize(channel, second * 1000 - 200);
  }
  t.is(stage.deepgram.sockets.length, 1);
  await stage.lose(1006);
  await stage.speak(1000);
  t.is(stage.deepgram.socket.offsetMs, 39_800);
});

test('where TCP does not say, a silent peer is replaced after 15 s, once a minute, and audio flows', async (t) => {
  const replayMs = 6000;
  const stage = await opened(CALLBACK, { replayMs });
  Object.assign(stage.deepgram.behavior, { answersPings: false, acknowledges: undefined });
  await stage.speak(15_000);
  t.is(stage.deepgram.sockets.length, 2);
  await stage.speak(180_000);
  t.true(stage.deepgram.sockets.length <= 5, `${stage.deepgram.sockets.length} connections`);
  t.true(stage.link.stats().worstLagMs <= replayMs, `${stage.link.stats().worstLagMs} ms`);
});

test('a pong that was not asked for confirms nothing and keeps the audio flowing', async (t) => {
  const stage = await opened(CALLBACK, { replayMs: 500 });
  stage.deepgram.behavior.answersPings = false;
  for (const mark of [Number.NaN, 0, 9_999_999_999, -1]) {
    await stage.speak(1000);
    stage.deepgram.socket.pong(mark);
  }
  await stage.lose(1006);
  await stage.speak(1000);
  await stage.clock.advance(3000);
  t.is(stage.deepgram.socket.offsetMs, 0);
  t.true(stage.received().equals(callAudio(0, 5000)));
});

test('after an outage the line stays open after CloseStream for as long as the backlog takes', async (t) => {
  const stage = await opened();
  await stage.speak(5000);
  stage.deepgram.handshakes.push(...Array.from({ length: 8 }, () => refused(503)));
  await stage.lose(1006);
  await stage.speak(25_000);
  stage.deepgram.behavior.closesOnRequest = false;
  const finished = stage.link.finish();
  await stage.clock.advance(20_000);
  t.false(stage.deepgram.socket.isClosed);
  stage.deepgram.socket.message({ type: 'Metadata' });
  stage.deepgram.socket.close(1000);
  await finished;
  t.is(stage.link.unfinishedMs, 0);
  t.false(stage.events().includes('deepgram.unfinished'));
});

test('what Deepgram cannot have processed when the line is cut is unfinished', async (t) => {
  const stage = await opened();
  void stage.send(40_000);
  await stage.clock.advance(3000);
  stage.deepgram.behavior.closesOnRequest = false;
  const finished = stage.link.finish();
  stage.link.endWithin(10_000);
  await stage.clock.advance(10_100);
  await finished;
  const { unfinishedMs } = stage.link;
  const leastMs = 40_000 - 13_000 * 1.25;
  t.true(unfinishedMs >= leastMs && unfinishedMs <= leastMs + 2000 * 1.25, `${unfinishedMs} ms`);
  t.like(stage.log.at(-1), { event: 'deepgram.unfinished', unfinishedMs, why: 'out of time' });
});

test('where results come back, progress keeps the line open, and what is not final is unfinished', async (t) => {
  const stage = await opened(RESULTS);
  void stage.send(20_000);
  stage.deepgram.behavior.closesOnRequest = false;
  const finished = stage.link.finish();
  // Half as fast as real time.
  for (let second = 1; second <= 15; second++) {
    await stage.clock.advance(2000);
    for (const channel of [0, 1]) stage.deepgram.socket.finalize(channel, second * 1000);
    t.false(stage.deepgram.socket.isClosed, `${second}`);
  }
  await stage.clock.advance(11_000);
  await finished;
  t.is(stage.link.unfinishedMs, 5000);
});

test('a stop during an outage ends the line in time', async (t) => {
  const stage = await opened();
  await stage.speak(1000);
  stage.deepgram.handshakes.push(...Array.from({ length: 20 }, () => refused(503)));
  await stage.lose(1006);
  const finished = stage.link.finish();
  stage.link.endWithin(10_000);
  await stage.clock.advance(10_100);
  await finished;
  await assertIdle(t, stage);
});

for (const code of [1001, 1006, 1011, 4000]) {
  test(`after CloseStream and Metadata a close with ${code} ends the line`, async (t) => {
    const stage = await opened();
    await stage.speak(3000);
    stage.deepgram.behavior.closesOnRequest = false;
    const finished = stage.link.finish();
    await stage.clock.settle();
    stage.deepgram.socket.message({ type: 'Metadata' });
    stage.deepgram.socket.close(code);
    await finished;
    t.is(stage.deepgram.sockets.length, 1);
    t.deepEqual(stage.events(), []);
  });

  test(`after CloseStream without Metadata a line that always closes with ${code} ends at the second time`, async (t) => {
    const stage = await opened();
    await stage.speak(3000);
    stage.deepgram.behavior.closesOnRequest = false;
    const finished = stage.link.finish();
    await stage.lose(code);
    await stage.clock.advance(1000);
    await stage.lose(code);
    await finished;
    t.is(stage.deepgram.sockets.length, 2);
    t.deepEqual(stage.events(), ['deepgram.lost', 'deepgram.reconnected', 'deepgram.unfinished']);
  });
}

test('the text of an Error message is the reason of the close that follows', async (t) => {
  const stage = await opened();
  await stage.speak(1000);
  stage.deepgram.socket.message({ type: 'Error', description: 'no audio model', variant: 'X' });
  await stage.lose(1011);
  t.like(stage.log[0], { event: 'deepgram.lost', code: 1011, closeReason: 'no audio model, X' });
});

test('a stream without results is reported where results come back, and only there', async (t) => {
  for (const [params, reports] of [
    [RESULTS, 1],
    [CALLBACK, 0],
  ] as const) {
    const stage = await opened(params);
    await stage.speak(40_000);
    t.is(stage.metrics.snapshot().counts.withoutResults, reports);
    const finished = stage.link.finish();
    await stage.clock.advance(1000);
    await finished;
    t.is(stage.events().filter((event) => event === 'deepgram.no-results').length, reports);
  }
});

test('a reconnect’s handshake may take 6 s, then 12 s: its time-out grows to 20 s', async (t) => {
  const stage = await opened(CALLBACK, { giveUpMs: 300_000 });
  stage.deepgram.handshakes.push('hang', 'hang', 'hang', 'hang');
  await stage.lose(1006);
  await stage.clock.advance(80_000);
  const [, ...startsMs] = stage.deepgram.handshakesAtMs;
  const waitsMs = startsMs.slice(1).map((ms, i) => ms - (startsMs[i] as number));
  for (const [i, least] of [5000, 10_000, 20_000, 20_000].entries())
    t.true((waitsMs[i] as number) >= least && (waitsMs[i] as number) <= least + 4000, `${waitsMs}`);
});

test('audio sent before a stop during an outage, but not processed, is unfinished', async (t) => {
  const stage = await opened();
  await stage.speak(10_000);
  stage.deepgram.handshakes.push(...Array.from({ length: 20 }, () => refused(503)));
  await stage.lose(1006);
  await stage.speak(2000);
  const finished = stage.link.finish();
  stage.link.endWithin(1000);
  await stage.clock.advance(1100);
  await finished;
  // What the next connection would have repeated; the 2 s after it are the session's unsent audio.
  t.is(stage.link.unfinishedMs, REPLAY_MS + 1000);
  t.is(stage.link.stats().audioMs, 10_000);
  t.is(stage.metrics.snapshot().counts.gapsMs.unfinished, REPLAY_MS + 1000);
});

test('where results come back, a stop during an outage leaves audio without a final unfinished', async (t) => {
  const stage = await opened(RESULTS);
  await stage.speak(10_000);
  for (const channel of [0, 1]) stage.deepgram.socket.finalize(channel, 4000);
  stage.deepgram.handshakes.push(...Array.from({ length: 20 }, () => refused(503)));
  await stage.lose(1006);
  const finished = stage.link.finish();
  stage.link.endWithin(1000);
  await stage.clock.advance(1100);
  await finished;
  t.is(stage.link.unfinishedMs, 6000);
});

test('when Deepgram stays away, the audio that it had not processed is unfinished', async (t) => {
  const stage = await opened();
  await stage.speak(10_000);
  stage.deepgram.handshakes.push(new DeepgramRefused(401, undefined, 'request-id'));
  await stage.lose(1006);
  await stage.clock.advance(1000);
  await t.throwsAsync(stage.link.finish(), { instanceOf: DeepgramRefused });
  t.is(stage.link.unfinishedMs, REPLAY_MS + 1000);
});

test('a backlog that Deepgram cannot have processed is repeated, and what no buffer holds is a gap', async (t) => {
  const stage = await opened(CALLBACK);
  await stage.speak(5000);
  void stage.send(8000);
  await stage.clock.advance(1000);
  await stage.lose(1011);
  await stage.speak(1000);
  const [, second] = stage.deepgram.sockets;
  t.true(Math.abs((second?.offsetMs ?? 0) - (13_000 - 6750 - REPLAY_MS)) < 150, `${second?.offsetMs}`);
  t.is(stage.link.unfinishedMs, 0);
  // Half of the buffer, and a minute of what waits to be processed, is kept.
  void stage.send(90_000);
  await stage.clock.advance(4000);
  const sentMs = stage.link.stats().audioMs;
  await stage.lose(1011);
  await stage.speak(1000);
  const third = stage.deepgram.sockets[2];
  t.is(third?.offsetMs, sentMs - 60_000 - BUFFER_BYTES / BYTES_PER_MS / 2);
  const { unfinishedMs } = stage.link;
  t.true(unfinishedMs > 8000, `${unfinishedMs}`);
  t.is(stage.metrics.snapshot().counts.gapsMs.unfinished, unfinishedMs);
  const reports = stage.log.filter(({ event }) => event === 'deepgram.unfinished');
  t.like(reports, [{ unfinishedMs, why: 'more than a reconnect can repeat', requestId: 'request-2' }]);
  // The rest of the call is not counted again.
  const finished = stage.link.finish();
  await stage.clock.advance(30_000);
  await finished;
  t.is(stage.link.unfinishedMs, unfinishedMs);
});

/** A start four minutes into the call: it is sent at once, and Deepgram may take it at once and process it for minutes. */
async function startedLate(): Promise<{ stage: LinkStage; processedMs: () => number }> {
  const stage = new LinkStage();
  const openedAtMs = stage.clock.now();
  await stage.open(CALLBACK, { startedAtMs: openedAtMs - 240_000 });
  for (let sentMs = 0; sentMs < 240_000; sentMs += 6000) {
    void stage.send(6000);
    await stage.clock.advance(50);
  }
  return { stage, processedMs: () => 1.25 * (stage.clock.now() - openedAtMs) };
}

test('after a crash a late start resumes at what Deepgram can have processed at 1.25 times real time', async (t) => {
  const { stage, processedMs } = await startedLate();
  for (const ms of [0, 40_000]) {
    await stage.speak(ms);
    const { safeMs } = stage.link;
    const latestMs = processedMs() - REPLAY_MS;
    t.true(safeMs <= latestMs && safeMs > latestMs - 1000, `${safeMs}`);
  }
  t.is(stage.link.stats().audioMs, 280_000);
});

test('the backlog of a late start that no buffer holds is read again when its connection breaks', async (t) => {
  const { stage } = await startedLate();
  stage.link.repeatBy(() => {
    const { safeMs } = stage.link;
    stage.goBack(safeMs);
    return safeMs;
  });
  await stage.speak(20_000);
  const { safeMs } = stage.link;
  await stage.lose(1011);
  void stage.send(260_000 - safeMs);
  await stage.speak(10_000);
  const { offsetMs, endMs } = stage.deepgram.socket;
  t.is(offsetMs, safeMs);
  t.true(offsetMs > 10_000);
  t.is(endMs, 270_000);
  t.is(byteDifference(stage.received(), callAudio(0, 270_000)), 'the same');
  t.is(stage.link.unfinishedMs, 0);
});

test('the backlog of a late start that cannot be read again is a gap, all of it', async (t) => {
  const { stage, processedMs } = await startedLate();
  await stage.speak(20_000);
  const unprocessedFromMs = processedMs();
  await stage.lose(1011);
  await stage.speak(1000);
  const { unfinishedMs } = stage.link;
  const missingMs = stage.deepgram.socket.offsetMs - unprocessedFromMs;
  t.true(missingMs > 150_000 && Math.abs(unfinishedMs - missingMs) < 500, `${unfinishedMs} of ${missingMs}`);
  t.is(stage.metrics.snapshot().counts.gapsMs.unfinished, unfinishedMs);
});
