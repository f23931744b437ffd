import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { ask } from './control.ts';
import { received } from './received.ts';
import { channel, Simulators, Stage } from './stage.ts';

const SECOND = 8000;
const FALLING = `--import=${new URL('falling-thread.ts', import.meta.url)}`;

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

/** A daemon with two worker threads; `fall` crashes one of them and resolves once the daemon has noticed. */
async function openWorkers() {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-workers-'));
  const [socket, stateDir] = [join(directory, 'control.sock'), join(directory, 'state')];
  const env = {
    WORKERS: '2',
    CONTROL_SOCKET: socket,
    NODE_OPTIONS: FALLING,
    FALLING_THREADS: directory,
    STATE_DIR: stateDir,
  };
  const stage = await Stage.open({ simulators, env });
  const close = async () => {
    await stage.close();
    await rm(directory, { recursive: true, force: true });
  };
  const control = (method: string, path: string, body?: unknown) => ask(socket, method, path, body);
  const fall = async (name: string) => {
    await writeFile(join(directory, name), '');
    await stage.daemon.line(({ event, thread }) => event === 'thread.lost' && thread === name);
    await rm(join(directory, name));
  };
  return { stage, control, fall, stateDir, close };
}

type Opened = Awaited<ReturnType<typeof openWorkers>>;
/** The daemon of all tests but one, which take turns: each has its sessions for itself. */
let opened: Opened;
test.before(async () => {
  opened = await openWorkers();
});
test.after.always(() => opened?.close());
const inTurn = test.serial;

inTurn(
  'calls on worker threads arrive sample for sample, and a repeated start finds the running session',
  async (t) => {
    const { stage } = opened;
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
  },
);

inTurn('operators can list, show and stop sessions on any thread', async (t) => {
  const { stage, control } = opened;
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

inTurn('another log level takes effect on every thread', async (t) => {
  const { stage, control } = opened;
  await control('POST', '/v1/log-level', { level: 'error' });
  const request = await stage.call({ customer: bytesOf(distinctSamples(SECOND)), realtime: false });
  await stage.start(request);
  await control('POST', '/v1/log-level', { level: 'debug' });
  const second = await stage.call({ customer: bytesOf(distinctSamples(SECOND)), realtime: false });
  await stage.start(second);
  await stage.ended(second.contactId);
  const ids = [request, second].map(({ contactId }) => contactId);
  const startedOnes = stage.daemon.lines.filter(({ event }) => event === 'session.started');
  t.deepEqual(
    startedOnes.map(({ contactId }) => String(contactId)).filter((contactId) => ids.includes(contactId)),
    [second.contactId],
  );
});

inTurn('metrics cover all threads, including one that died', async (t) => {
  const { stage, control, fall } = opened;
  // Of the test before, one session may be left that logs nothing.
  while ((await control('GET', '/v1/sessions')).body.sessions.length > 0) await systemClock.sleep(20);
  const completed = async () => {
    const text = await (await fetch(new URL('/metrics', stage.url))).text();
    const lines = text.split('\n').filter((line) => /^integratord_sessions_ended_total\{.*completed/.test(line));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  const before = await completed();
  for (let call = 0; call < 2; call++) {
    const request = await stage.call({ customer: bytesOf(distinctSamples(2 * SECOND)), realtime: false });
    await stage.start(request);
    await stage.ended(request.contactId);
  }
  t.is(await completed(), before + 2);
  await fall('worker-1');
  t.is(await completed(), before + 2);
});

test('when a thread dies, its sessions resume from their checkpoints: no sample is lost', async (t) => {
  const { stage, fall, stateDir, close } = await openWorkers();
  t.teardown(close);
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
  process.kill(stage.daemon.pid, 'SIGTERM');
  t.is(await stage.daemon.exited, 0);
  t.deepEqual(
    (await readdir(stateDir)).filter((name) => name.includes('.checkpoint')),
    [],
  );
});
