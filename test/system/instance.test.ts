import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { AutoScalingControl } from '../simulators/auto-scaling/client.ts';
import { MetadataControl } from '../simulators/imds/client.ts';
import { Program } from '../support/process.ts';
import { received } from './received.ts';
import { channel, Simulators, Stage } from './stage.ts';

const CALLS = 20;
const SECONDS = 4;
const SAMPLES = distinctSamples(SECONDS * 8000);
/** Longer than any machine takes for a test: a call ends when its test, or the daemon, ends it. */
const TIMES = 300 / SECONDS;

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

/** A daemon on an instance of a group with a terminating hook. */
async function instance(t: ExecutionContext) {
  const metadataService = new Program('test/simulators/imds/main.ts');
  const autoScalingService = new Program('test/simulators/auto-scaling/main.ts');
  const [metadataUrl, autoScalingUrl] = await Promise.all([
    metadataService.listening(),
    autoScalingService.listening(),
  ]);
  const [metadata, autoScaling] = [new MetadataControl(metadataUrl), new AutoScalingControl(autoScalingUrl)];
  const transition = 'autoscaling:EC2_INSTANCE_TERMINATING';
  await autoScaling.setHooks({ name: 'drain', transition, heartbeatTimeoutS: 3 });
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-state-'));
  const stage = await Stage.open({
    simulators,
    env: {
      STATE_DIR: stateDir,
      // Of 20 calls at a time none may end early because a busy machine was late with its fragments.
      CALL_END_GRACE_MS: '3000',
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataUrl,
      AWS_ENDPOINT_URL_AUTO_SCALING: autoScalingUrl,
    },
  });
  t.teardown(async () => {
    await stage.close();
    await Promise.all([metadataService.stop('SIGKILL'), autoScalingService.stop('SIGKILL')]);
    await rm(stateDir, { recursive: true, force: true });
  });
  await stage.daemon.line(({ event }) => event === 'lifecycle.on');
  return { stage, metadata, autoScaling, stateDir };
}

async function startCalls(stage: Stage, count = CALLS) {
  const pcm = bytesOf(SAMPLES);
  const voices = { customer: pcm, agent: pcm, times: TIMES };
  const calls = await Promise.all(Array.from({ length: count }, () => stage.call(voices)));
  for (const answer of await Promise.all(calls.map((call) => stage.start(call)))) {
    if (answer.status !== 200) throw new Error(`not started: ${JSON.stringify(answer.body)}`);
  }
  return calls;
}

/** What the customers say until they hang up. */
function repeated(samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => SAMPLES[i % SAMPLES.length] as number);
}

// How soon the daemon notices, and how soon it completes the hook, is tested in virtual time: lifecycle.test.ts.
test('Auto Scaling terminates the instance: no call is cut off, and it terminates after the last one', async (t) => {
  const { stage, metadata, autoScaling } = await instance(t);
  const calls = await startCalls(stage);
  await metadata.setState({ targetLifecycleState: 'Terminated' });
  await stage.daemon.line(({ event, source }) => event === 'drain.began' && source === 'lifecycle');
  t.is((await stage.ask('GET', '/health-check')).status, 503);
  const heartbeats = () => autoScaling.requests('RecordLifecycleActionHeartbeat');
  while ((await heartbeats()).length < 3) await systemClock.sleep(20);
  const streamed = await Promise.all(calls.map(({ contactId }) => stage.hangUp(contactId)));
  const ends = await Promise.all(calls.map(({ contactId }) => stage.ended(contactId)));
  for (const ended of ends) t.like(ended, { outcome: 'completed', reason: 'no-more-fragments', gapMs: 0 });
  t.is(await stage.daemon.exited, 0);
  const [completed, ...others] = await autoScaling.requests('CompleteLifecycleAction');
  t.is(others.length, 0);
  const lastEndMs = Math.max(...ends.map(({ time }) => Date.parse(String(time))));
  t.true((completed?.atMs ?? 0) >= lastEndMs);
  for (const { contactId, bytes } of streamed) {
    const { audio, missingMs } = await received(stage.deepgram, contactId);
    t.is(missingMs, 0);
    t.is(difference(channel(audio, 0), repeated(bytes.customer / 2)), 'the same');
  }
});

test('a crash in a termination: the hook waits for the calls that resume, and the deadline stays', async (t) => {
  const { stage, metadata, autoScaling, stateDir } = await instance(t);
  const calls = await startCalls(stage, 5);
  await Promise.all(calls.map(({ contactId }) => stage.deepgramHas(contactId, 2000)));
  await metadata.setState({ targetLifecycleState: 'Terminated' });
  const drainBegan = () => stage.daemon.line(({ event, source }) => event === 'drain.began' && source === 'lifecycle');
  const { deadline } = await drainBegan();
  while (!existsSync(join(stateDir, 'drain.json'))) await systemClock.sleep(20);
  await stage.crash();
  t.like(await drainBegan(), { deadline, sessions: 5 });
  t.deepEqual(await autoScaling.requests('CompleteLifecycleAction'), []);
  await Promise.all(calls.map(({ contactId }) => stage.hangUp(contactId)));
  for (const { contactId } of calls) t.like(await stage.ended(contactId), { outcome: 'completed', gapMs: 0 });
  t.is(await stage.daemon.exited, 0);
  t.is((await autoScaling.requests('CompleteLifecycleAction')).length, 1);
});

test('EC2 reclaims a Spot instance: sessions that still run 20 s before end cleanly, with a checkpoint', async (t) => {
  const { stage, metadata, stateDir } = await instance(t);
  const calls = await startCalls(stage);
  await Promise.all(calls.map(({ contactId }) => stage.deepgramHas(contactId, 2000)));
  const time = new Date(Date.now() + 22_000).toISOString();
  await metadata.setState({ spotAction: { action: 'terminate', time } });
  t.is(await stage.daemon.exited, 0);
  for (const { contactId } of calls) {
    t.like(await stage.ended(contactId), { outcome: 'completed', reason: 'stopped' });
    const [connection] = await stage.closed(contactId);
    t.like(connection, { closeCode: 1000, controlMessages: { CloseStream: 1 } });
  }
  t.is((await readdir(stateDir)).filter((file) => file.endsWith('.checkpoint.json')).length, CALLS);
});
