import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { ask } from './control.ts';
import { Simulators, Stage } from './stage.ts';

const SECOND = 8000;
const test = anyTest as TestFn<Operated>;
/** These tests share a daemon, and undo what they change. */
const inTurn = test.serial;

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

/** A daemon and its control socket. */
interface Operated {
  readonly stage: Stage;
  readonly socket: string;
  readonly control: (method: string, path: string, body?: unknown) => ReturnType<typeof ask>;
  readonly close: () => Promise<void>;
}

test.before(async (t) => {
  t.context = await openStage();
});
test.after.always((t) => t.context.close());

async function openStage(env: Record<string, string> = {}): Promise<Operated> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-run-'));
  const socket = join(directory, 'control.sock');
  const stage = await Stage.open({
    simulators,
    env: { CONTROL_SOCKET: socket, STATE_DIR: join(directory, 'state'), ...env },
  });
  const control: Operated['control'] = (method, path, body) => ask(socket, method, path, body);
  const close = async () => {
    await stage.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { stage, socket, control, close };
}

/** A daemon for one test. */
async function stageWithSocket(t: ExecutionContext, env: Record<string, string> = {}): Promise<Operated> {
  const operated = await openStage(env);
  t.teardown(operated.close);
  return operated;
}

/** A call in real time, so that it does not end before its test. */
function runningCall(stage: Stage) {
  const samples = distinctSamples(60 * SECOND);
  return stage.call({ customer: bytesOf(samples), agent: bytesOf(samples) });
}

inTurn('the control socket is for its owner and group only', async (t) => {
  const { socket } = t.context;
  t.is((await stat(socket)).mode & 0o777, 0o660);
});

inTurn('status, sessions, one session and its timeline show what operators need, and no secret', async (t) => {
  const { stage, control } = t.context;
  const call = await runningCall(stage);
  const callback = 'http://user:planted@127.0.0.1:9/results?token=planted';
  const started = await stage.start({ ...call, dgParams: { ...call.dgParams, callback } });
  const { sessionId } = started.body;
  await stage.deepgramHas(call.contactId, 1000);
  t.like((await control('GET', '/v1/status')).body, {
    apiVersion: 1,
    state: 'serving',
    sessions: 1,
    maxSessions: 500,
    checkpoints: true,
    unsignedStarts: true,
    pid: stage.daemon.pid,
  });
  const { sessions } = (await control('GET', '/v1/sessions')).body;
  t.is(sessions.length, 1);
  t.like(sessions[0], {
    sessionId,
    contactId: call.contactId,
    state: 'running',
    gapMs: 0,
    reconnects: 0,
    model: 'nova-3',
    callbackHost: '127.0.0.1:9',
  });
  t.true(sessions[0].audioMs >= 1000);
  const { body } = await control('GET', `/v1/sessions/${sessionId}`);
  t.is(body.params.callback, 'http://***@127.0.0.1:9/results?***');
  const events = body.timeline.map(({ event }: { event: string }) => event);
  t.is(events[0], 'session.started');
  t.true(events.includes('audio.first'));
  t.is((await control('GET', '/v1/config')).body.settings.DEEPGRAM_API_KEY, 'set');
  const everything = await Promise.all(
    ['status', 'sessions', `sessions/${sessionId}`, 'config'].map((path) => control('GET', `/v1/${path}`)),
  );
  t.notRegex(JSON.stringify(everything), /planted|key-of-the-stage/);
});

inTurn('a session that is stopped before any audio arrived has not failed', async (t) => {
  const { stage, control } = t.context;
  // Its first fragment is complete after a minute and a half.
  const { body } = await stage.start(await stage.call({ customer: Buffer.alloc(2 * SECOND), speed: 0.01 }));
  const stopped = await control('POST', `/v1/sessions/${body['sessionId']}/stop`);
  t.like(stopped.body, { sessionId: body['sessionId'], outcome: 'completed', reason: 'stopped' });
});

inTurn('stopping a session sends what was read, waits for the last results, and reports the outcome', async (t) => {
  const { stage, control } = t.context;
  const call = await runningCall(stage);
  const { body } = await stage.start(call);
  await stage.deepgramHas(call.contactId, 1000);
  const stopped = await control('POST', `/v1/sessions/${body['sessionId']}/stop`);
  t.like(stopped.body, { sessionId: body['sessionId'], outcome: 'completed', reason: 'stopped' });
  const [connection] = await stage.closed(call.contactId);
  t.like(connection, { closeCode: 1000, controlMessages: { CloseStream: 1 } });
  t.is((await control('GET', `/v1/sessions/${body['sessionId']}`)).status, 404);
});

test('a cordon outlives a crash, until uncordon', async (t) => {
  const { stage, control } = await stageWithSocket(t);
  await control('POST', '/v1/cordon', { reason: 'bad disk' });
  await stage.crash();
  t.is((await stage.ask('GET', '/health-check')).status, 503);
  t.like((await control('GET', '/v1/status')).body, { state: 'cordoned', cordon: { reason: 'bad disk' } });
  await control('POST', '/v1/uncordon');
  await stage.crash();
  t.is((await stage.ask('GET', '/health-check')).status, 200);
});

inTurn('a cordoned daemon refuses new sessions, and running ones continue', async (t) => {
  const { stage, control } = t.context;
  const call = await runningCall(stage);
  await stage.start(call);
  const { sessions } = (await control('GET', '/v1/status')).body;
  t.is((await control('POST', '/v1/cordon', { reason: 'kernel update' })).body.state, 'cordoned');
  t.is((await stage.ask('GET', '/health-check')).status, 503);
  t.like((await stage.start(await runningCall(stage))).body, { reason: 'cordoned', retryable: true });
  t.like((await control('GET', '/v1/status')).body, {
    state: 'cordoned',
    sessions,
    cordon: { reason: 'kernel update' },
  });
  t.like((await control('POST', '/v1/cordon')).body, { state: 'cordoned', unchanged: true });
  t.like((await control('POST', '/v1/uncordon')).body, { state: 'serving', unchanged: false });
  t.true((await control('POST', '/v1/uncordon')).body.unchanged);
  t.is((await stage.ask('GET', '/health-check')).status, 200);
});

test('an operator’s drain can be changed and canceled, a signal’s cannot', async (t) => {
  const { stage, control } = await stageWithSocket(t);
  await stage.start(await runningCall(stage));
  t.is((await control('GET', '/v1/drain')).body.reason, 'not-draining');
  t.is((await control('DELETE', '/v1/drain')).status, 409);
  t.is((await control('POST', '/v1/drain', { deadlineMs: null })).body.drain.deadlineAtEpochMs, null);
  t.true((await control('POST', '/v1/drain', { deadlineMs: 60_000 })).body.drain.deadlineAtEpochMs > Date.now());
  t.is((await control('POST', '/v1/cordon')).body.reason, 'draining');
  t.is((await control('DELETE', '/v1/drain')).body.state, 'serving');
  t.is((await stage.ask('GET', '/health-check')).status, 200);
  process.kill(stage.daemon.pid, 'SIGTERM');
  await stage.daemon.line(({ event, source }) => event === 'drain.began' && source === 'signal');
  t.is((await control('DELETE', '/v1/drain')).body.reason, 'not-cancellable');
  const later = (await control('POST', '/v1/drain', { deadlineMs: null })).body.drain;
  t.true(later.deadlineAtEpochMs !== null, 'and an operator cannot put off its deadline');
});

test('another log level takes effect immediately, also for running sessions, until the process exits', async (t) => {
  const { stage, control } = await stageWithSocket(t, { LOG_LEVEL: 'info' });
  const call = await runningCall(stage);
  const { sessionId } = (await stage.start(call)).body;
  t.like(await control('GET', '/v1/log-level'), { status: 200, body: { level: 'info', configured: 'info' } });
  t.like(await control('POST', '/v1/log-level', { level: 'debug' }), { status: 200, body: { level: 'debug' } });
  t.like(await stage.daemon.line(({ event }) => event === 'log.level'), { level: 'info', from: 'info', to: 'debug' });
  t.like(await stage.daemon.line(({ event }) => event === 'deepgram.result'), { sessionId });
  const debugAt = stage.daemon.lines.findIndex(({ level }) => level === 'debug');
  const orderAt = stage.daemon.lines.findIndex(({ event }) => event === 'log.level');
  t.true(debugAt > orderAt, 'nothing of it before the order');
  for (const body of [{ level: 'loud' }, { level: 'info', for: '1h' }, {}, 'debug']) {
    t.like(await control('POST', '/v1/log-level', body), { status: 400, body: { reason: 'bad-request' } });
  }
  t.is((await control('GET', '/v1/log-level')).body.level, 'debug');
  // It leaves its socket behind, which the next process replaces.
  await stage.crash();
  t.is((await control('GET', '/v1/log-level')).body.level, 'info');
});

inTurn('invalid requests are refused with a reason', async (t) => {
  const { control } = t.context;
  t.like(await control('POST', '/v1/drain', { deadlineMs: 'soon' }), { status: 400, body: { reason: 'bad-request' } });
  t.like(await control('POST', '/v1/drain', { force: true }), { status: 400 });
  t.like(await control('POST', '/v1/sessions/none/stop'), { status: 404, body: { reason: 'not-found' } });
  t.like(await control('GET', '/v2/status'), { status: 404 });
});

test('the doctor reports what works, what does not, and what to do', async (t) => {
  const { control } = await stageWithSocket(t, { MAX_SESSIONS: '10' });
  const { checks } = (await control('POST', '/v1/doctor')).body;
  const verdicts = Object.fromEntries(
    checks.map((check: { name: string; verdict: string }) => [check.name, check.verdict]),
  );
  t.deepEqual(verdicts, {
    'signed starts': 'warn',
    checkpoints: 'ok',
    deepgram: 'ok',
    'kinesis video': 'ok',
    clock: 'ok',
    'lifecycle hook': 'ok',
    'file limit': 'ok',
    capacity: 'ok',
  });
  const { control: elsewhere } = await stageWithSocket(t, {
    DEEPGRAM_API_KEY: 'wrong',
    AWS_ENDPOINT_URL_KINESIS_VIDEO: 'http://127.0.0.1:9',
  });
  const ill = (await elsewhere('POST', '/v1/doctor')).body.checks as {
    name: string;
    verdict: string;
    remedy?: string;
  }[];
  for (const name of ['deepgram', 'kinesis video']) {
    const check = ill.find((one) => one.name === name);
    t.is(check?.verdict, 'fail', name);
    t.truthy(check?.remedy);
  }
});
