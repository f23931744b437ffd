import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { received } from './received.ts';
import { channel, Simulators, Stage } from './stage.ts';

const SECOND = 8000;
/** In callback mode Deepgram posts the results itself. The URL's credentials must not be logged. */
const CALLBACK = 'http://user:planted-password@127.0.0.1:9/results?token=planted-token';

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

async function stageWithState(t: ExecutionContext, env: Record<string, string> = {}) {
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-state-'));
  const stage = await Stage.open({ simulators, env: { STATE_DIR: stateDir, ...env } });
  t.teardown(async () => {
    await stage.close();
    await rm(stateDir, { recursive: true, force: true });
  });
  return { stage, stateDir };
}

for (const [mode, params] of [
  ['with a callback', { callback: CALLBACK }],
  ['where results come back', {}],
] as const) {
  test(`after kill -9 during a call the session resumes, ${mode}: no sample is lost`, async (t) => {
    const { stage, stateDir } = await stageWithState(t);
    const [customer, agent] = [distinctSamples(30 * SECOND, 1), distinctSamples(30 * SECOND, 2)];
    const call = await stage.call({ customer: bytesOf(customer), agent: bytesOf(agent), speed: 3 });
    const request = { ...call, dgParams: { ...call.dgParams, ...params } };
    const started = await stage.start(request);
    await stage.deepgramHas(request.contactId, 12_000);
    await stage.crash();
    const again = await stage.daemon.line(({ event }) => event === 'session.started');
    t.is(again['sessionId'], started.body['sessionId']);
    t.is((await stage.start(request)).body['status'], 'already-running', 'and is known to be there');
    t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0 });
    await stage.closed(request.contactId);
    const { audio, missingMs, agrees, runs } = await received(stage.deepgram, request.contactId);
    t.is(missingMs, 0);
    t.true(agrees);
    t.is(runs.length, 2);
    const [before, after] = runs.map(({ facts }) =>
      facts.query.filter(([, value]) => value.startsWith('dgintegrator_started_at:')),
    );
    t.is(before?.length, 1);
    t.deepEqual(after, before, 'the session keeps its time 0');
    t.is(difference(channel(audio, 0), customer), 'the same');
    t.is(difference(channel(audio, 1), agent), 'the same');
    process.kill(stage.daemon.pid, 'SIGTERM');
    t.is(await stage.daemon.exited, 0);
    t.deepEqual(await readdir(stateDir), [], 'a session that is over leaves nothing behind');
  });
}

test('after kill -9 at the start of a call not even its first fragment is lost', async (t) => {
  const { stage } = await stageWithState(t);
  const customer = distinctSamples(12 * SECOND, 1);
  const request = await stage.call({ customer: bytesOf(customer), agent: bytesOf(customer), speed: 1 });
  await stage.start(request);
  await stage.deepgramHas(request.contactId, 2500);
  await stage.crash();
  t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0 });
  await stage.closed(request.contactId);
  const { audio, missingMs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
});

test('after kill -9 right after the 200, before any audio, the whole call is transcribed', async (t) => {
  const { stage } = await stageWithState(t, { CALL_END_GRACE_MS: '6000' });
  const customer = distinctSamples(8 * SECOND, 1);
  // So long that the first fragment cannot arrive before the crash.
  const fragmentMs = 4000;
  const request = await stage.call({ customer: bytesOf(customer), agent: bytesOf(customer), fragmentMs });
  const started = await stage.start(request);
  t.is(started.status, 200);
  const { daemon } = stage;
  await stage.crash();
  t.false(
    daemon.lines.some(({ event }) => event === 'audio.first'),
    'the first fragment was not complete',
  );
  const again = await stage.daemon.line(({ event }) => event === 'session.started');
  t.is(again['sessionId'], started.body['sessionId']);
  t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0 });
  await stage.closed(request.contactId);
  const { audio, missingMs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
});

test('two crashes in one call, the second right after the first, lose nothing', async (t) => {
  const { stage } = await stageWithState(t);
  const customer = distinctSamples(30 * SECOND, 1);
  const call = await stage.call({ customer: bytesOf(customer), speed: 3 });
  const request = { ...call, dgParams: { ...call.dgParams, callback: CALLBACK } };
  await stage.start(request);
  await stage.deepgramHas(request.contactId, 10_000);
  await stage.crash();
  await stage.crash();
  t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0 });
  await stage.closed(request.contactId);
  const { audio, missingMs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
});
