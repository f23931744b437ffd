import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { Relay } from '../support/relay.ts';
import { received } from './received.ts';
import { channel, Simulators, Stage, type StageOptions } from './stage.ts';

/** Shared by all tests that need no settings or relay of their own. */
const test = anyTest as TestFn<{ stage: Stage }>;
const SECOND = 8000;
/** REPLAY_MS plus 1 s. */
const REPEATED_MS = 3000;
const ENV = { REPLAY_MS: '2000' };

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

test.before(async (t) => {
  t.context = { stage: await Stage.open({ simulators, env: ENV }) };
});
test.after.always((t) => t.context.stage.close());

async function stageFor(t: ExecutionContext, options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.open({ ...options, env: { ...ENV, ...options.env } });
  t.teardown(() => stage.close());
  return stage;
}

/** A stage whose daemon reaches Deepgram through a relay. */
async function stageBehindRelay(t: ExecutionContext): Promise<{ stage: Stage; relay: Relay }> {
  const opening = Promise.withResolvers<Relay>();
  const deepgramVia = async (url: string) => {
    opening.resolve(await Relay.to(url));
    return (await opening.promise).url;
  };
  const stage = await stageFor(t, { simulators, deepgramVia });
  const relay = await opening.promise;
  t.teardown(() => relay.close());
  return { stage, relay };
}

/** Callback mode, where results do not return to the daemon. Nothing listens at this address. */
const CALLBACK = { callback: 'http://127.0.0.1:9/results' };

test('five breaks in one call: everything arrives, and each repeats at most REPLAY_MS, a second and its connection’s audio', async (t) => {
  const { stage } = t.context;
  const [customer, agent] = [distinctSamples(40 * SECOND, 1), distinctSamples(40 * SECOND, 2)];
  const call = await stage.call({ customer: bytesOf(customer), agent: bytesOf(agent), speed: 5 });
  await stage.deepgram.addFaultsFor(
    call.contactId,
    { resetAfterMs: 3000 },
    { closeAfterMs: 6000, code: 1011, reason: 'NET-0001' },
    { closeAfterMs: 5000, code: 1011, reason: 'NET-0000' },
    { refuse: 429, dgError: 'too many streams' },
    { closeAfterMs: 4000, code: 1008, reason: 'DATA-0000' },
  );
  const request = { ...call, dgParams: { ...call.dgParams, ...CALLBACK, extra: 'mine:1' } };
  t.is((await stage.start(request)).status, 200);
  const ended = await stage.ended(request.contactId);
  t.like(ended, { outcome: 'completed', gapMs: 0, reconnects: 4 });
  const { audio, missingMs, twiceMs, agrees, runs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.true(agrees);
  t.is(difference(channel(audio, 0), customer), 'the same');
  t.is(difference(channel(audio, 1), agent), 'the same');
  // Of what one connection got, Deepgram may have processed nothing: how much depends on the speed of the machine.
  const sentMs = runs.map(({ audio }) => audio.length / 32);
  t.true(
    twiceMs.every((ms, lost) => ms <= REPEATED_MS + (sentMs[lost] as number)),
    `twice: ${twiceMs}, sent: ${sentMs}`,
  );
  const extras = runs.map(({ facts }) => facts.query.flatMap(([name, value]) => (name === 'extra' ? [value] : [])));
  const [mine, startedAt, ...others] = extras[0] ?? [];
  t.deepEqual([mine, others], ['mine:1', []]);
  t.regex(startedAt ?? '', /^dgintegrator_started_at:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.deepEqual(
    extras.slice(1).map(([mine, startedAt, , number]) => [mine, startedAt, number]),
    [2, 3, 4, 5].map((k) => ['mine:1', startedAt, `dgintegrator_connection:${k}`]),
  );
});

test('when results come back, finalized audio is not sent again, and nothing is lost', async (t) => {
  const { stage } = t.context;
  const customer = distinctSamples(30 * SECOND, 1);
  const request = await stage.call({ customer: bytesOf(customer), agent: bytesOf(customer), speed: 5 });
  await stage.deepgram.addFaultsFor(
    request.contactId,
    { resetAfterMs: 9000 },
    { closeAfterMs: 9000, code: 1011, reason: 'NET-0000' },
  );
  t.is((await stage.start(request)).status, 200);
  t.like(await stage.ended(request.contactId), { outcome: 'completed', reconnects: 2 });
  const { audio, missingMs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
});

test('an unreachable Deepgram for 20 s of the call costs only time', async (t) => {
  const { stage, relay } = await stageBehindRelay(t);
  const customer = distinctSamples(40 * SECOND, 1);
  const call = await stage.call({ customer: bytesOf(customer), speed: 10 });
  const request = { ...call, dgParams: { ...call.dgParams, ...CALLBACK } };
  t.is((await stage.start(request)).status, 200);
  await stage.deepgramHas(request.contactId, 5000);
  relay.cut();
  await stage.kinesisHas(request.contactId, 26_000);
  relay.restore();
  t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0, reconnects: 1 });
  const { audio, missingMs, twiceMs, runs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
  // Of what one connection got, Deepgram may have processed nothing.
  t.true((twiceMs[0] as number) <= REPEATED_MS + (runs[0]?.audio.length ?? 0) / 32);
});

test('a half-open connection is detected and replaced', async (t) => {
  const { stage, relay } = await stageBehindRelay(t);
  const customer = distinctSamples(20 * SECOND, 1);
  const call = await stage.call({ customer: bytesOf(customer), speed: 2 });
  const request = { ...call, dgParams: { ...call.dgParams, ...CALLBACK } };
  t.is((await stage.start(request)).status, 200);
  await stage.deepgramHas(request.contactId, 3000);
  relay.silence();
  await stage.daemon.line(({ event }) => event === 'deepgram.lost');
  t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0 });
  const { audio, missingMs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
});

for (const status of [400, 401, 402, 403] as const) {
  test(`a reconnect that is refused with ${status} ends the session as failed`, async (t) => {
    const { stage } = t.context;
    const request = await stage.call({ customer: bytesOf(distinctSamples(10 * SECOND)), speed: 5 });
    const refusal = { refuse: status, dgError: 'not any more' };
    await stage.deepgram.addFaultsFor(request.contactId, { resetAfterMs: 1000 }, refusal);
    t.is((await stage.start(request)).status, 200);
    const ended = await stage.ended(request.contactId);
    t.is(ended['outcome'], 'failed');
    t.regex(String(ended['error']), new RegExp(`DeepgramRefused: .*HTTP ${status}`));
    t.is((await stage.start(request)).body['status'], 'started', 'the session is gone');
  });
}

test('an unavailable Deepgram ends the session as failed after DEEPGRAM_GIVE_UP_MS', async (t) => {
  const stage = await stageFor(t, { env: { DEEPGRAM_GIVE_UP_MS: '1000' } });
  const refusals = Array.from({ length: 20 }, () => ({ refuse: 503, dgError: 'overloaded' }));
  const request = await stage.call({ customer: bytesOf(distinctSamples(30 * SECOND)), speed: 5 });
  t.is((await stage.start(request)).status, 200);
  await stage.deepgram.addFaultsFor(request.contactId, ...refusals);
  await stage.deepgram.breakAll();
  const ended = await stage.ended(request.contactId);
  t.is(ended['outcome'], 'failed');
  t.regex(String(ended['error']), /HTTP 503/);
});

test('a Deepgram that stalls for 60 s of the call causes back-pressure, then receives all of it', async (t) => {
  const { stage } = t.context;
  const customer = distinctSamples(90 * SECOND, 1);
  const call = await stage.call({ customer: bytesOf(customer), agent: bytesOf(customer), speed: 20 });
  await stage.deepgram.addFaultsFor(call.contactId, { stallAfterMs: 5000, forMs: 3000 });
  const request = { ...call, dgParams: { ...call.dgParams, ...CALLBACK } };
  t.is((await stage.start(request)).status, 200);
  const ended = await stage.ended(request.contactId);
  t.like(ended, { outcome: 'completed', gapMs: 0, reconnects: 0 });
  t.true(Number(ended['worstBufferBytes']) > 500_000, 'it was held back');
  // With a minute of what cannot have been processed.
  t.true(Number(ended['worstBufferBytes']) <= 1024 * 1024 + 60_000 * 32 + 8000, `${ended['worstBufferBytes']} bytes`);
  const { audio, missingMs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
});

test('a connection without audio is kept alive', async (t) => {
  const stage = await stageFor(t, { env: { CALL_END_GRACE_MS: '6000' }, deepgramArgs: ['--net-0001-ms', '5500'] });
  const request = await stage.call({ customer: bytesOf(distinctSamples(SECOND)), realtime: false });
  const { connection } = await stage.transcribe(request);
  t.is(connection.controlMessages.KeepAlive, 1);
  t.is(connection.closeCode, 1000);
});
