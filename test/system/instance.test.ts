import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { AutoScalingControl } from '../simulators/auto-scaling/client.ts';
import { MetadataControl } from '../simulators/imds/client.ts';
import { Program } from '../support/process.ts';
import { received } from './received.ts';
import { channel, Stage } from './stage.ts';

const CALLS = 20;
const SAMPLES = distinctSamples(8 * 8000);
/** Allowance for polling and for a busy machine, on top of the promised 2 s. */
const SLACK_MS = 2000;

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
    env: {
      STATE_DIR: stateDir,
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

async function startCalls(stage: Stage) {
  const pcm = bytesOf(SAMPLES);
  const calls = await Promise.all(Array.from({ length: CALLS }, () => stage.call({ customer: pcm, agent: pcm })));
  for (const answer of await Promise.all(calls.map((call) => stage.start(call)))) {
    if (answer.status !== 200) throw new Error(`not started: ${JSON.stringify(answer.body)}`);
  }
  return calls;
}

test('Auto Scaling terminates the instance: no call is cut off, and it terminates after the last one', async (t) => {
  const { stage, metadata, autoScaling } = await instance(t);
  const calls = await startCalls(stage);
  const toldAtMs = Date.now();
  await metadata.setState({ targetLifecycleState: 'Terminated' });
  await stage.daemon.line(({ event, source }) => event === 'drain.began' && source === 'lifecycle');
  t.is((await stage.ask('GET', '/health-check')).status, 503);
  t.true(Date.now() - toldAtMs < 2000 + SLACK_MS);
  const ends = await Promise.all(calls.map(({ contactId }) => stage.ended(contactId)));
  for (const ended of ends) t.like(ended, { outcome: 'completed', reason: 'no-more-fragments', gapMs: 0 });
  t.is(await stage.daemon.exited, 0);
  t.true((await autoScaling.requests('RecordLifecycleActionHeartbeat')).length >= 3);
  const [completed, ...others] = await autoScaling.requests('CompleteLifecycleAction');
  t.is(others.length, 0);
  const lastEndMs = Math.max(...ends.map(({ time }) => Date.parse(String(time))));
  t.true((completed?.atMs ?? Infinity) - lastEndMs < 2000 + SLACK_MS);
  for (const { contactId } of calls) {
    const { audio, missingMs } = await received(stage.deepgram, contactId);
    t.is(missingMs, 0);
    t.is(difference(channel(audio, 0), SAMPLES), 'the same');
  }
});

test('EC2 reclaims a Spot instance: sessions that still run 20 s before end cleanly, with a checkpoint', async (t) => {
  const { stage, metadata, stateDir } = await instance(t);
  const calls = await startCalls(stage);
  await Promise.all(calls.map(({ contactId }) => stage.deepgramHas(contactId, 2000)));
  const goesAtMs = Date.now() + 22_000;
  await metadata.setState({ spotAction: { action: 'terminate', time: new Date(goesAtMs).toISOString() } });
  t.is(await stage.daemon.exited, 0);
  t.true(Date.now() < goesAtMs, 'before the instance goes');
  for (const { contactId } of calls) {
    t.like(await stage.ended(contactId), { outcome: 'completed', reason: 'stopped' });
    const [connection] = await stage.closed(contactId);
    t.like(connection, { closeCode: 1000, controlMessages: { CloseStream: 1 } });
  }
  t.is((await readdir(stateDir)).filter((file) => file.endsWith('.checkpoint.json')).length, CALLS);
});
