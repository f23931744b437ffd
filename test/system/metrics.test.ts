import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { notZero, readScrape, scrape } from '../metrics/scrape.ts';
import { CloudWatchControl } from '../simulators/cloudwatch/client.ts';
import { Program } from '../support/process.ts';
import { needs } from '../support/tools.ts';
import { received } from './received.ts';
import { Simulators, Stage, type StageOptions } from './stage.ts';

const SECONDS = 10;
const FRAGMENT_MS = 1024;
const CUSTOMER = distinctSamples(SECONDS * 8000, 1);
const AGENT = distinctSamples(SECONDS * 8000, 2);

/** Of the stages whose tests cause no faults: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());
const CALL = {
  customer: bytesOf(CUSTOMER),
  agent: bytesOf(AGENT),
  fragmentMs: FRAGMENT_MS,
  options: { oddBlock: false },
};

async function opened(t: ExecutionContext, options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.open(options);
  t.teardown(() => stage.close());
  return stage;
}

/** /metrics after various faults. */
let page = '';

test.serial('the sums in /metrics match what happened to the calls, including faults', async (t) => {
  const stage = await opened(t);
  // A connection to Deepgram that closes with 1011, and the next handshake refused with 429.
  await stage.deepgram.addFaults({ closeAfterMs: 3000, code: 1011, reason: '' }, { refuse: 429 });
  const noisy = await stage.call({ ...CALL, speed: 5 });
  const callback = 'http://127.0.0.1:9/';
  t.is((await stage.start({ ...noisy, dgParams: { ...noisy.dgParams, callback } })).status, 200);
  await stage.ended(noisy.contactId);
  // Two fragments that the stream lost, and a connection to Kinesis that ends after three.
  await stage.kinesis.addFaults({ stream: 'lossy', endAfterFragments: 3 });
  const lossy = await stage.call(
    { ...CALL, speed: 5, options: { oddBlock: false, missingFragments: [4, 5] } },
    'lossy',
  );
  t.is((await stage.start(lossy)).status, 200);
  t.is((await stage.start(lossy)).body['status'], 'already-running');
  const ended = await stage.ended(lossy.contactId);
  t.is((await stage.start('{')).status, 400);

  const { values } = await scrape(stage.url);
  const of = (name: string) => notZero(values, `integratord_${name}`);
  t.deepEqual(of('starts_total'), {
    '{result="success",reason="started"}': 2,
    '{result="success",reason="already-running"}': 1,
    '{result="fail",reason="bad-request"}': 1,
  });
  t.deepEqual(of('sessions_started_total'), { '{origin="start"}': 2 });
  t.deepEqual(of('sessions_ended_total'), { '{outcome="completed",reason="no-more-fragments"}': 2 });
  const heard = (2 * SECONDS * 1000 - 2 * FRAGMENT_MS) / 1000;
  t.deepEqual(of('audio_received_seconds_total'), { '{channel="customer"}': heard, '{channel="agent"}': heard });
  t.deepEqual(of('audio_sent_seconds_total'), {
    '{channel="customer"}': 2 * SECONDS,
    '{channel="agent"}': 2 * SECONDS,
  });
  t.is(ended['gapMs'], 2 * FRAGMENT_MS);
  t.deepEqual(of('gap_seconds_total'), { '{cause="missing"}': (2 * FRAGMENT_MS) / 1000 });
  t.deepEqual(of('deepgram_reconnects_total'), { '{code="1011"}': 1 });
  t.deepEqual(of('deepgram_refusals_total'), { '{status="429"}': 1 });
  t.true((of('kinesis_resumes_total')[''] ?? 0) >= 1);
  await stage.closed(noisy.contactId);
  const { twiceMs } = await received(stage.deepgram, noisy.contactId);
  const replayedS = of('deepgram_replayed_seconds_total')[''] ?? 0;
  // Audio in flight when Deepgram closed never arrived, but is also counted as replayed.
  t.true(replayedS * 1000 >= (twiceMs[0] ?? Infinity), `${replayedS} s, twice ${twiceMs}`);
  t.is(of('deepgram_sent_bytes_total')[''], (2 * SECONDS + replayedS) * 32_000);
  t.true((of('lag_seconds_count')[''] ?? 0) > 0);
  t.true((of('kinesis_behind_now_seconds_count')[''] ?? 0) > 0);
  t.deepEqual(of('drain_state'), { '{state="none"}': 1 });
  const identified = [noisy, lossy].flatMap(({ contactId, kvsStream }) => [contactId, kvsStream.arn]);
  page = (await scrape(stage.url)).text;
  for (const id of identified) t.false(page.includes(id));
});

needs(test.serial, 'promtool')('promtool accepts that /metrics', (t) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  t.true(page.includes('integratord_deepgram_reconnects_total{code="1011"}'));
  t.deepEqual([status, `${stdout}${stderr}`], [0, '']);
});

test('the cause of a gap is what was reported before it', async (t) => {
  const stage = await opened(t);
  const gaps: Record<string, number> = {};
  const noteGaps = async (contactId: string) => {
    const ended = await stage.ended(contactId);
    for (const { event, contactId: of, cause, missingMs } of stage.daemon.lines) {
      if (event === 'audio.gap' && of === contactId)
        gaps[String(cause)] = (gaps[String(cause)] ?? 0) + Number(missingMs);
    }
    return ended;
  };
  const garbage = Buffer.alloc(4000, 0xff).toString('base64');
  await stage.kinesis.addFaults(
    { stream: 'broken', corruptAfterBytes: 105_000, bytes: garbage },
    { stream: 'forgetful', endAfterFragments: 3 },
    { stream: 'forgetful', status: 503, forgetFragments: 5 },
  );
  const broken = await stage.call({ ...CALL, speed: 5 }, 'broken');
  await stage.start(broken);
  const forgetful = await stage.call({ ...CALL, speed: 5 }, 'forgetful');
  await stage.start(forgetful);
  for (const { contactId } of [broken, forgetful]) await noteGaps(contactId);
  // The rest of the call arrives while Deepgram is unavailable.
  const away = [{ refuse: 503 }, { refuse: 503 }, { refuse: 503 }, { refuse: 402 }];
  await stage.deepgram.addFaults({ closeAfterMs: 3000, code: 1011, reason: '' }, ...away);
  const unpaid = await stage.call({ ...CALL, speed: 20 });
  await stage.start(unpaid);
  const failed = await noteGaps(unpaid.contactId);
  t.like(failed, { outcome: 'failed' });

  const { values } = await scrape(stage.url);
  const found = notZero(values, 'integratord_gap_seconds_total');
  t.deepEqual(Object.keys(gaps).sort(), ['corrupt', 'fragment-gone']);
  // Sums of seconds and of milliseconds are rounded differently.
  const foundMs = (cause: string) => Math.round((found[`{cause="${cause}"}`] ?? NaN) * 1e6) / 1000;
  t.is(foundMs('corrupt'), gaps['corrupt'] ?? 0);
  t.is(foundMs('fragment-gone'), gaps['fragment-gone'] ?? 0);
  t.true(Number(failed['unsentMs']) > 0);
  t.is(foundMs('unsent'), Number(failed['unsentMs']));
  t.is(foundMs('unfinished'), Number(failed['unfinishedMs']));
  t.is(Object.keys(found).length, 4);
  t.is(values.get('integratord_sessions_ended_total{outcome="failed",reason="DeepgramRefused"}'), 1);
  t.deepEqual(notZero(values, 'integratord_deepgram_refusals_total'), { '{status="402"}': 1, '{status="5xx"}': 3 });
});

test('with METRICS_PORT, metrics are on that port and not on the main one', async (t) => {
  const stage = await opened(t, { simulators, env: { METRICS_PORT: '0' } });
  const { metricsAt } = await stage.daemon.line(({ event }) => event === 'metrics.started');
  const response = await fetch(new URL('/metrics', String(metricsAt)));
  t.regex(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  t.is(readScrape(await response.text()).get('integratord_sessions_limit'), 500);
  t.is((await fetch(new URL('/health-check', String(metricsAt)))).status, 404);
  t.is((await fetch(new URL('/metrics', stage.url))).status, 404);
});

test('a running call, its checkpoint and a drain show while they last', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-metrics-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const stage = await opened(t, { simulators, env: { STATE_DIR: stateDir, MAX_SESSIONS: '4' } });
  const call = await stage.call({ ...CALL, speed: 1 });
  t.is((await stage.start(call)).status, 200);
  await stage.deepgramHas(call.contactId, 2500);
  process.kill(stage.daemon.pid, 'SIGTERM');
  await stage.daemon.line(({ event }) => event === 'drain.began');
  const { values } = await scrape(stage.url);
  t.like(Object.fromEntries(values), {
    integratord_sessions_active: 1,
    integratord_capacity_used_ratio: 0.25,
    'integratord_drain_state{state="draining"}': 1,
    'integratord_drain_state{state="none"}': 0,
    integratord_drain_sessions_left: 1,
    integratord_drain_overdue: 0,
  });
  t.true((values.get('integratord_checkpoint_age_seconds') ?? 0) > 0);
  await stage.hangUp(call.contactId);
  await stage.ended(call.contactId);
});

test('resumption after a crash, rotation and silence are counted', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-metrics-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const env = { STATE_DIR: stateDir, ROTATE_AFTER_MS: '1000', CALL_END_GRACE_MS: '6000' };
  const stage = await opened(t, { simulators, env });
  const call = await stage.call({ ...CALL, times: 12 });
  t.is((await stage.start(call)).status, 200);
  await stage.deepgramHas(call.contactId, 2500);
  await stage.crash();
  await stage.daemon.line(({ event }) => event === 'kinesis.rotated');
  await stage.hangUp(call.contactId);
  await stage.ended(call.contactId);
  const { values } = await scrape(stage.url);
  const of = (name: string) => notZero(values, `integratord_${name}`);
  t.deepEqual(of('sessions_started_total'), { '{origin="checkpoint"}': 1 });
  t.deepEqual(of('starts_total'), {});
  const rotated = stage.daemon.lines.filter(({ event }) => event === 'kinesis.rotated').length;
  t.true(rotated > 0);
  t.is(of('kinesis_rotations_total')[''], rotated);
  const connections = await stage.closed(call.contactId);
  const keepAlives = connections.reduce((sum, { controlMessages }) => sum + (controlMessages['KeepAlive'] ?? 0), 0);
  t.true(keepAlives > 0);
  t.is(of('deepgram_keepalives_total')[''], keepAlives);
});

test('CloudWatch receives the metrics of an instance from its start to its end', async (t) => {
  const service = new Program('test/simulators/cloudwatch/main.ts');
  t.teardown(() => service.stop('SIGKILL'));
  const cloudWatch = new CloudWatchControl(await service.listening());
  const env = { METRICS_STACK: 'calls', AWS_ENDPOINT_URL_CLOUDWATCH: cloudWatch.url };
  const stage = await opened(t, { simulators, env });
  await cloudWatch.requested(1);
  await stage.transcribe(await stage.call({ ...CALL, speed: 20 }));
  t.is(await stage.daemon.stop('SIGTERM'), 0);
  const told = async (name: string) => (await cloudWatch.data(name, { Stack: 'calls' })).map(({ Value }) => Value);
  t.deepEqual(await told('SessionsStarted'), [0, 1]);
  t.deepEqual(await told('SessionsCompleted'), [0, 1]);
  t.deepEqual(await told('AudioSecondsIn'), [0, 2 * SECONDS]);
  t.deepEqual(await told('Draining'), [0, 1]);
  t.deepEqual(await told('CapacityUsed'), [0], 'a draining instance has none');
  const [lag] = await cloudWatch.data('LagMilliseconds', { Stack: 'calls' });
  t.true((lag?.Values?.length ?? 0) > 0);
});

test('an unreachable CloudWatch does not affect calls', async (t) => {
  const env = { METRICS_STACK: 'calls', AWS_ENDPOINT_URL_CLOUDWATCH: 'http://127.0.0.1:9' };
  const stage = await opened(t, { simulators, env });
  await stage.daemon.line(({ event }) => event === 'cloudwatch.failing');
  const { ended } = await stage.transcribe(await stage.call({ ...CALL, speed: 20 }));
  t.like(ended, { outcome: 'completed', gapMs: 0 });
  const { values } = await scrape(stage.url);
  t.is(values.get('integratord_cloudwatch_puts_total{result="failed"}'), 1);
  t.is(await stage.daemon.stop('SIGTERM'), 0);
});
