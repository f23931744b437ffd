import test, { type ExecutionContext } from 'ava';
import type { CommanderError } from 'commander';
import { SAMPLE_RATE_HZ } from '../../daemon/contract/audio-format.ts';
import { needs } from '../support/tools.ts';
import type { ComparisonReport } from './comparison-report.ts';
import { readOptions } from './options.ts';
import { RunningLoad } from './running-load.ts';

/** Without worker threads, which take as long to start as the daemon; a later --workers takes precedence. */
const NO_WORKERS = ['--workers', '0'];
/** Small, and without a bound on what depends on the machine's load. */
const SMALL = [...NO_WORKERS, '--calls', '5', '--seconds', '3', '--ramp', '5', '--max-lag-p99', '60000', '--json'];
const TIMEOUT_MS = 120_000;

/** Seconds of audio in samples, whose sums compare exactly. */
const samples = (seconds = NaN): number => Math.round(seconds * SAMPLE_RATE_HZ);

/** Runs to the end; returns exit code and report. */
async function ran(t: ExecutionContext, ...args: readonly string[]) {
  t.timeout(TIMEOUT_MS);
  const load = new RunningLoad(t, [...SMALL, ...args]);
  const code = await load.exited;
  if (load.stdout === '') throw new Error(`no report (exit code ${code}):\n${load.stderr}`);
  return { code, report: await load.report(), load };
}

test('a daemon that loses nothing passes, every figure is reported, and a ContactId after the cluster makes lag longer', async (t) => {
  const { code, report, load } = await ran(t, '--tags', 'after', '--seconds', '6');
  t.deepEqual(report.verdict, { passed: true, failures: [] });
  t.is(code, 0);
  const { starts, stages, audio, sessions } = report;
  t.like(starts, { asked: 5, failed: 0, latencyMs: { count: 5 } });
  t.like(sessions, { started: 5, completed: 5, failed: 0, unended: 0 });
  t.like(audio, { gapMs: 0, wrongBlocks: 0, surplusMs: 0, repeatedMs: 0, verifiedCalls: 5 });
  t.is(audio.receivedSeconds, audio.saidSeconds);
  t.true(audio.saidSeconds >= 5 * 6);
  const [stage] = stages;
  t.is(stages.length, 1);
  t.true((stage?.lagMs.count ?? 0) > 0 && (stage?.lagMs.p50 ?? 0) > 0);
  // A block waits for the end of its fragment, half a second on average.
  t.true((stage?.lagMs.mean ?? 0) > 400, `${stage?.lagMs.mean} ms`);
  // The daemon itself says so as well. Not compared with the lag outside: a busy machine delays what it cannot see.
  t.true((stage?.ownLagMs.mean ?? 0) > 300, `${stage?.ownLagMs.mean} ms`);
  t.true((stage?.daemon.cpuMsPerCallSecond ?? 0) > 0 && (stage?.daemon.callsPerCore ?? 0) > 0);
  t.true((stage?.daemon.threads.length ?? 0) > 0 && (stage?.daemon.eventLoopDelayMs.count ?? 0) > 0);
  t.true((stage?.messages.perCallSecond ?? 0) > 0 && (stage?.kinesis.strain.cpuMs ?? 0) > 0);
  t.false(load.hasProcesses);
  t.deepEqual(load.leftFiles, []);
});

needs(test, 'openssl')('results are relayed to a webhook, every word once, and agree with /metrics', async (t) => {
  const { code, report } = await ran(t, '--results', '--interims');
  t.is(code, 0, JSON.stringify(report.verdict));
  const { results, comparisons, stages } = report;
  const finals = results?.finalsSent ?? 0;
  t.true(finals >= 2 * 5);
  t.like(results, { events: { 'session.started': 5, transcript: finals, 'session.ended': 5 }, refused: 0, faults: {} });
  t.true((results?.events['interim'] ?? 0) > 0 && (results?.words ?? 0) > 0);
  t.is(results?.words, results?.wordsSent);
  const said = comparisons.find(({ series }) => series === 'integratord_results_delivery_seconds_count');
  t.like(said, { said: finals, agrees: true });
  const delivery = stages[0]?.results;
  t.true((delivery?.deliveryMs.p50 ?? 0) > 0 && (delivery?.ownDeliveryMs.mean ?? 0) > 0);
  t.true((delivery?.connections ?? 0) > 0 && (delivery?.requests ?? 0) > 0);
});

needs(test, 'openssl')(
  'the least relay posts results, which are not judged, of calls that have run for a while',
  async (t) => {
    const { code, report } = await ran(t, '--results', '--least', '--settle', '1');
    t.is(code, 0, report.verdict.failures.join('; '));
    t.regex(report.notCompared ?? '', /least relay/);
    t.true(report.audio.receivedSeconds > 0);
  },
);

test('a daemon that loses audio fails, and so do its metrics, which do not show it, and exceeded thresholds', async (t) => {
  const thresholds = ['--max-cpu', '0', '--max-start-p99', '0'];
  const { code, report } = await ran(t, '--daemon', 'test/load/lossy-daemon.ts', '--verify', '0', ...thresholds);
  t.is(code, 1);
  t.false(report.verdict.passed);
  t.true(report.audio.gapMs > 0);
  t.is(report.sessions.gapMs, 0);
  const { failures } = report.verdict;
  const exceeded = failures.filter((failure) => failure.endsWith(' allowed'));
  t.deepEqual(
    exceeded.map((failure) => failure.replace(/[\d.]+(?=( ms)?, at)/, 'N')),
    [
      'blocks of wrong audio N, at most 0 allowed',
      'gaps N ms, at most 0 ms allowed',
      'start latency p99 N ms, at most 0 ms allowed',
      'CPU per second of call N ms, at most 0 ms allowed',
    ],
  );
  const differing = report.comparisons.filter(({ agrees }) => !agrees);
  t.deepEqual(
    differing.map(({ series }) => series),
    [
      'integratord_audio_sent_seconds_total{channel="customer"}',
      'integratord_audio_sent_seconds_total{channel="agent"}',
      'integratord_gap_seconds_total{cause="missing"}',
      'integratord_deepgram_sent_bytes_total',
    ],
  );
  const [sent] = differing;
  t.true((sent?.said ?? 0) > report.audio.receivedSeconds);
  const words = `/metrics has ${sent?.series} ${sent?.said}, but ${report.audio.receivedSeconds} was counted`;
  t.true(failures.includes(words), failures.join('\n'));
});

needs(test, 'openssl')(
  'faults on both sides are counted, cost no audio but what the stream lost, and agree with /metrics',
  async (t) => {
    const { code, report } = await ran(t, '--faults', '--tls', '--workers', '2');
    t.is(code, 0, JSON.stringify(report.verdict));
    const { kinesisBroken, deepgramBroken, fragmentsLost, resumes, reconnects } = report.faults;
    t.deepEqual(
      { kinesisBroken, deepgramBroken, fragmentsLost },
      { kinesisBroken: 1, deepgramBroken: 1, fragmentsLost: 1 },
    );
    t.deepEqual({ resumes, reconnects }, { resumes: kinesisBroken, reconnects: deepgramBroken });
    t.is(report.sessions.resumes, resumes);
    t.is(report.sessions.reconnects, reconnects);
    t.is(report.audio.lostMs, 1024);
    t.is(report.audio.gapMs, 1024);
    t.true((report.stages[0]?.lagOfBrokenMs.count ?? 0) > 0);
    const said = (name: string) => report.comparisons.filter(({ series }) => series.startsWith(`integratord_${name}`));
    t.true(report.comparisons.every(({ agrees }) => agrees));
    t.is(said('sessions_ended_total')[0]?.said, 5);
    t.is(samples(said('audio_received_seconds_total')[0]?.said), samples(report.audio.saidSeconds) - samples(1.024));
    t.is(said('audio_sent_seconds_total')[0]?.said, report.audio.saidSeconds);
    t.is(said('gap_seconds_total{cause="missing"}')[0]?.said, 1.024);
    t.is(said('deepgram_reconnects_total')[0]?.said, reconnects);
    t.is(said('kinesis_resumes_total')[0]?.said, resumes);
  },
);

test('two daemons take turns, and are compared', async (t) => {
  t.timeout(TIMEOUT_MS);
  const args = ['--against', '.', '--rounds', '1', '--calls', '2', '--seconds', '1', '--workers', '0', '--json'];
  const load = new RunningLoad(t, args);
  const code = await load.exited;
  const { sides, verdict } = JSON.parse(load.stdout) as ComparisonReport;
  t.is(code, verdict.passed ? 0 : 1);
  t.deepEqual(
    sides.map(({ name, turns }) => [name, turns.length, turns.flatMap(({ failures }) => failures)]),
    [
      ['old', 1, []],
      ['new', 1, []],
    ],
  );
  const numbers = sides.flatMap(({ turns }) => turns.map((turn) => [turn.cpuMsPerCallSecond, turn.rssKibPerCall]));
  t.true(numbers.flat().every(Number.isFinite));
  t.false(load.hasProcesses);
  t.deepEqual(load.leftFiles, []);
});

test('calls are added until the lag is too high, and the last good number is reported', async (t) => {
  t.timeout(TIMEOUT_MS);
  const args = [...NO_WORKERS, '--calls', '2', '--seconds', '1', '--until-lag', '--max-lag-p99', '0', '--json'];
  const load = new RunningLoad(t, args);
  const { stages, callsWithinLag, verdict } = await load.report();
  t.is(stages.length, 1);
  t.is(callsWithinLag, 0);
  t.deepEqual(verdict.failures, ['no number of calls stayed within the allowed lag']);
  t.is(await load.exited, 1);
});

test('Ctrl-C ends a run at once and leaves nothing behind', async (t) => {
  t.timeout(TIMEOUT_MS);
  const load = new RunningLoad(t, [...NO_WORKERS, '--calls', '3', '--seconds', '600']);
  await load.wrote('stderr', /measuring 3 calls/);
  // Twice, as under npm, which forwards the signal that the terminal already sent to all.
  load.interrupt();
  load.interrupt();
  t.is(await load.exited, 130);
  t.false(load.hasProcesses);
  t.deepEqual(load.leftFiles, []);
});

for (const [args, words] of [
  [['--calls', '0'], /--calls.*whole number from 1/],
  [['--seconds', 'ten'], /--seconds.*whole number/],
  [['--max-cpu', '-1'], /--max-cpu.*number from 0/],
  [['--daemon', 'nowhere.ts'], /--daemon.*no such file/],
  [['--until-lag', '--faults'], /--until-lag and --faults/],
  [['--results', '--faults'], /--results and --faults/],
  [['--interims'], /--interims needs --results/],
  [['--least'], /--least needs --results/],
  [['--results', '--least', '--daemon', 'daemon/main.ts'], /--least has a daemon of its own/],
  [['--compare-results', '--against', '.'], /--compare-results and --against/],
  [['--against', 'nowhere'], /--against.*no daemon\/main\.ts/],
  [['--tags', 'nowhere'], /--tags.*before, after/],
  [['--fast'], /unknown option/],
  [['more'], /too many arguments/],
] as const) {
  test(`invalid options are reported: ${args.join(' ')}`, (t) => {
    const said: string[] = [];
    const error = t.throws(() => readOptions(args, (text) => said.push(text)), { any: true });
    t.is((error as CommanderError).exitCode, 2);
    t.regex(said.join(''), words);
  });
}

test('with invalid options nothing is started, and the exit code is 2', async (t) => {
  const load = new RunningLoad(t, ['--calls', '0']);
  t.is(await load.exited, 2);
  t.regex(load.stderr, /--calls.*whole number from 1/);
  t.is(load.stdout, '');
});
