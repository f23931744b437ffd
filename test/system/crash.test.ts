import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { received } from './received.ts';
import { channel, Stage } from './stage.ts';

const SECOND = 8000;
/** In callback mode Deepgram posts the results by itself; the credentials in it are no one else's business. */
const CALLBACK = 'http://user:planted-password@127.0.0.1:9/results?token=planted-token';

async function stageWithState(t: ExecutionContext) {
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-state-'));
  const stage = await Stage.open({ env: { STATE_DIR: stateDir } });
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
  test(`after kill -9 in mid-call the session goes on, ${mode}: no sample is lost`, async (t) => {
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
    t.like(await stage.ended(request.contactId), { outcome: 'completed', holeMs: 0 });
    await stage.closed(request.contactId);
    const { audio, missingMs, agrees, stretches } = await received(stage.deepgram, request.contactId);
    t.is(missingMs, 0);
    t.true(agrees);
    t.is(stretches.length, 2);
    t.is(difference(channel(audio, 0), customer), 'the same');
    t.is(difference(channel(audio, 1), agent), 'the same');
    process.kill(stage.daemon.pid, 'SIGTERM');
    t.is(await stage.daemon.exited, 0);
    t.deepEqual(await readdir(stateDir), [], 'a session that is over leaves nothing behind');
  });
}

test('after kill -9 right at the beginning of a call not even its first fragment is lost', async (t) => {
  const { stage } = await stageWithState(t);
  const customer = distinctSamples(12 * SECOND, 1);
  const request = await stage.call({ customer: bytesOf(customer), agent: bytesOf(customer), speed: 1 });
  await stage.start(request);
  await stage.deepgramHas(request.contactId, 2500);
  await stage.crash();
  t.like(await stage.ended(request.contactId), { outcome: 'completed', holeMs: 0 });
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
  t.like(await stage.ended(request.contactId), { outcome: 'completed', holeMs: 0 });
  await stage.closed(request.contactId);
  const { audio, missingMs } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.is(difference(channel(audio, 0), customer), 'the same');
});

test('a checkpoint shows no secret', async (t) => {
  const { stage, stateDir } = await stageWithState(t);
  const call = await stage.call({ customer: bytesOf(distinctSamples(20 * SECOND)), speed: 2 });
  await stage.start({ ...call, dgParams: { ...call.dgParams, callback: CALLBACK } });
  await stage.deepgramHas(call.contactId, 5000);
  const files = await readdir(stateDir);
  t.true(files.length > 0);
  for (const file of files) {
    const text = await readFile(join(stateDir, file), 'utf8');
    t.notRegex(text, /planted|key-of-the-stage|nova-3/);
  }
});

test('a stale, a broken and a foreign checkpoint do not come back, and nothing breaks over them', async (t) => {
  const { stage, stateDir } = await stageWithState(t);
  const call = await stage.call({ customer: bytesOf(distinctSamples(20 * SECOND)), speed: 2 });
  await stage.start(call);
  await stage.deepgramHas(call.contactId, 5000);
  await stage.crash(async () => {
    for (const name of await readdir(stateDir)) {
      const path = join(stateDir, name);
      const aged = (await readFile(path, 'utf8')).replaceAll(
        /(?<="savedAtEpochMs":)\d+/g,
        (ms) => `${+ms - 6 * 60_000}`,
      );
      await writeFile(path, aged);
    }
    await writeFile(join(stateDir, 'half.checkpoint.json'), '{"version":1,"sess');
    await writeFile(join(stateDir, 'positions-worker-1.json'), '{"version":1,"sess');
    await writeFile(join(stateDir, 'notes.txt'), 'not ours');
  });
  const events = stage.daemon.lines.map(({ event }) => event);
  t.true(events.includes('checkpoint.stale'));
  t.true(events.includes('checkpoint.unreadable'));
  t.like(await stage.ask('GET', '/health-check'), { body: { sessions: 0 } });
  t.deepEqual(await readdir(stateDir), ['notes.txt']);
});

test('a disk that fails costs the checkpoint, and no call', async (t) => {
  const { stage, stateDir } = await stageWithState(t);
  await rm(stateDir, { recursive: true });
  await writeFile(stateDir, 'a file where the directory was');
  const customer = distinctSamples(6 * SECOND);
  const request = await stage.call({ customer: bytesOf(customer), speed: 2 });
  const { audio } = await stage.transcribe(request);
  t.is(difference(channel(audio, 0), customer), 'the same');
  const failing = stage.daemon.lines.filter(({ event }) => event === 'checkpoint.failing');
  t.is(failing.length, 1, 'said once');
});
