import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { ask } from './control.ts';
import { received } from './received.ts';
import { channel, Stage } from './stage.ts';

const SECOND = 8000;
const FALLING = `--import=${new URL('falling-thread.ts', import.meta.url)}`;

/** A daemon with two worker threads; `fall` crashes one of them and resolves once the daemon has noticed. */
async function stageWithWorkers(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-workers-'));
  const [socket, stateDir] = [join(directory, 'control.sock'), join(directory, 'state')];
  const env = {
    WORKERS: '2',
    CONTROL_SOCKET: socket,
    NODE_OPTIONS: FALLING,
    FALLING_THREADS: directory,
    STATE_DIR: stateDir,
  };
  const stage = await Stage.open({ env });
  t.teardown(async () => {
    await stage.close();
    await rm(directory, { recursive: true, force: true });
  });
  const control = (method: string, path: string, body?: unknown) => ask(socket, method, path, body);
  const fall = async (name: string) => {
    await writeFile(join(directory, name), '');
    await stage.daemon.line(({ event, thread }) => event === 'thread.lost' && thread === name);
    await rm(join(directory, name));
  };
  return { stage, control, fall, stateDir };
}

test('calls on worker threads arrive sample for sample, and a repeated start finds the running session', async (t) => {
  const { stage } = await stageWithWorkers(t);
  const calls = await Promise.all(
    [1, 2, 3, 4].map(async (seed) => {
      const [customer, agent] = [distinctSamples(30 * SECOND, seed), distinctSamples(30 * SECOND, seed + 10)];
      const request = await stage.call({ customer: bytesOf(customer), agent: bytesOf(agent), speed: 3 });
      return { request, customer, agent };
    }),
  );
  for (const { request } of calls) t.is((await stage.start(request)).body['status'], 'started');
  for (const { request } of calls) t.is((await stage.start(request)).body['status'], 'already-running');
  for (const { request, customer, agent } of calls) {
    t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0 });
    await stage.closed(request.contactId);
    const { audio } = await received(stage.deepgram, request.contactId);
    t.is(difference(channel(audio, 0), customer), 'the same');
    t.is(difference(channel(audio, 1), agent), 'the same');
  }
});

test('operators can list, show and stop sessions on any thread', async (t) => {
  const { stage, control } = await stageWithWorkers(t);
  const ids: string[] = [];
  for (let call = 0; call < 3; call++) {
    const request = await stage.call({ customer: bytesOf(distinctSamples(60 * SECOND, call)) });
    ids.push(String((await stage.start(request)).body['sessionId']));
    await stage.deepgramHas(request.contactId, 500);
  }
  const { sessions } = (await control('GET', '/v1/sessions')).body;
  t.deepEqual(
    sessions.map(({ sessionId }: { sessionId: string }) => sessionId),
    ids,
    'oldest first',
  );
  for (const id of ids) {
    const { session, params, timeline } = (await control('GET', `/v1/sessions/${id}`)).body;
    t.is(session.sessionId, id);
    t.is(params.model, 'nova-3');
    t.is(timeline[0].event, 'session.started');
    t.like((await control('POST', `/v1/sessions/${id}/stop`)).body, { outcome: 'completed', reason: 'stopped' });
    t.is((await control('GET', `/v1/sessions/${id}`)).status, 404);
  }
});

test('when a thread dies, its sessions resume from their checkpoints: no sample is lost', async (t) => {
  const { stage, fall, stateDir } = await stageWithWorkers(t);
  const calls = await Promise.all(
    [1, 2].map(async (seed) => {
      const customer = distinctSamples(30 * SECOND, seed);
      return { customer, request: await stage.call({ customer: bytesOf(customer), speed: 3 }) };
    }),
  );
  const started = [];
  for (const { request } of calls) started.push(await stage.start(request));
  for (const { request } of calls) await stage.deepgramHas(request.contactId, 9000);
  await fall('worker-1');
  for (const [index, { request, customer }] of calls.entries()) {
    t.like(await stage.ended(request.contactId), {
      outcome: 'completed',
      gapMs: 0,
      sessionId: started[index]?.body['sessionId'],
    });
    await stage.closed(request.contactId);
    const { audio, missingMs } = await received(stage.deepgram, request.contactId);
    t.is(missingMs, 0);
    t.is(difference(channel(audio, 0), customer), 'the same');
  }
  t.is(stage.daemon.lines.filter(({ event }) => event === 'daemon.fault').length, 1);
  t.deepEqual(
    (await readdir(stateDir)).filter((name) => name.includes('.checkpoint')),
    [],
  );
});

test('another log level takes effect on every thread', async (t) => {
  const { stage, control } = await stageWithWorkers(t);
  await control('POST', '/v1/log-level', { level: 'error' });
  const request = await stage.call({ customer: bytesOf(distinctSamples(SECOND)), realtime: false });
  await stage.start(request);
  await control('POST', '/v1/log-level', { level: 'debug' });
  const second = await stage.call({ customer: bytesOf(distinctSamples(SECOND)), realtime: false });
  await stage.start(second);
  await stage.ended(second.contactId);
  const startedOnes = stage.daemon.lines.filter(({ event }) => event === 'session.started');
  t.deepEqual(
    startedOnes.map(({ contactId }) => contactId),
    [second.contactId],
  );
});

test('metrics cover all threads, including one that died', async (t) => {
  const { stage, fall } = await stageWithWorkers(t);
  for (let call = 0; call < 2; call++) {
    const request = await stage.call({ customer: bytesOf(distinctSamples(2 * SECOND)), realtime: false });
    await stage.start(request);
    await stage.ended(request.contactId);
  }
  const completed = async () => {
    const text = await (await fetch(new URL('/metrics', stage.url))).text();
    const lines = text.split('\n').filter((line) => /^integratord_sessions_ended_total\{.*completed/.test(line));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  t.is(await completed(), 2);
  await fall('worker-1');
  t.is(await completed(), 2);
});
