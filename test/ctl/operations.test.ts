import test from 'ava';
import manifest from '../../package.json' with { type: 'json' };
import { ctl } from './ctl-process.ts';
import { aDrain, aStatus, NOW_EPOCH_MS } from './examples.ts';
import { ok, refusal } from './fake-daemon.ts';
import { fakeFor } from './fake-for.ts';

test('status shows what the daemon is doing', async (t) => {
  const daemon = await fakeFor(t);
  const plain = await ctl(['status', '--socket', daemon.socketPath]);
  t.deepEqual([plain.code, plain.stderr], [0, '']);
  t.regex(
    plain.stdout,
    /^state +serving\nsessions +12 of 500\nlag +345ms, the largest .*\ngaps +0ms, of .*\nlast hour +7 sessions ended, 0 failed\nresults +all delivered\nlog level +info\ndaemon +integratord 9\.8\.7, pid 4711, Node v24\.0\.0$/m,
  );
  t.regex(plain.stdout, /^running +1d02h, since 2026-01-02T03:04:05\.000Z$/m);
  t.regex(plain.stdout, /^Auto Scaling +off$/m);
  t.notRegex(plain.stdout, /cordon|drain/);
  daemon.status = aStatus({
    state: 'draining',
    cordon: { sinceEpochMs: NOW_EPOCH_MS, reason: 'odd noises' },
    drain: aDrain({ source: 'lifecycle', reason: 'scale-in' }),
    lifecycle: { on: true, instanceId: 'i-1', groupName: 'fleet', state: 'Terminating:Wait' },
    unsignedStarts: true,
  });
  const { stdout } = await ctl(['status', '--socket', daemon.socketPath]);
  t.regex(stdout, /^cordon +since 2026-01-02T03:04:05\.000Z: odd noises$/m);
  t.regex(stdout, /^drain +draining: 3 sessions left, longest call 12m04s, no deadline \(lifecycle: scale-in\)$/m);
  t.regex(stdout, /^Auto Scaling +i-1 of fleet is Terminating:Wait$/m);
  t.regex(stdout, /^unsigned starts +accepted from anyone/m);
  const json = await ctl(['status', '--json', '--socket', daemon.socketPath]);
  t.deepEqual(JSON.parse(json.stdout), { apiVersion: 1, ...daemon.status, results: daemon.results });
});

test('cordon and uncordon show the new state', async (t) => {
  const daemon = await fakeFor(t);
  const run = (...args: string[]) => ctl([...args, '--socket', daemon.socketPath]);
  t.like(await run('cordon', '--reason', 'odd noises'), { code: 0, stdout: 'the daemon is cordoned\n', stderr: '' });
  t.deepEqual(daemon.bodiesOf('POST /v1/cordon'), [{ reason: 'odd noises' }]);
  t.like(await run('uncordon'), { code: 0, stdout: 'the daemon is serving\n', stderr: '' });
  const json = JSON.parse((await run('cordon', '--json')).stdout);
  t.deepEqual(json, { apiVersion: 1, state: 'cordoned', unchanged: false });
  daemon.instead.set('POST /v1/cordon', ok({ state: 'cordoned', unchanged: true }));
  t.is((await run('cordon')).stdout, 'the daemon is already cordoned\n');
  daemon.instead.delete('POST /v1/cordon');
  daemon.instead.set('POST /v1/uncordon', ok({ state: 'cut-off', unchanged: true }));
  t.is((await run('uncordon')).stdout, 'the daemon was not cordoned, and is cut-off\n');
  daemon.instead.delete('POST /v1/uncordon');
  daemon.drain = aDrain();
  t.like(await run('cordon'), { code: 6, stdout: '' });
  t.like(await run('uncordon'), { code: 6, stdout: '' });
});

test('doctor shows each verdict with its remedy, and exits with 1 if a check failed', async (t) => {
  const daemon = await fakeFor(t);
  const clock = { name: 'clock', verdict: 'warn', detail: '2.1 s off', remedy: 'run chrony' } as const;
  daemon.checks = [{ name: 'settings', verdict: 'ok', detail: 'all of them' }, clock];
  const warned = await ctl(['doctor', '--socket', daemon.socketPath]);
  t.is(warned.code, 0, 'a warning is not a failure');
  t.is(warned.stdout, ['OK    settings  all of them', 'WARN  clock     2.1 s off', '      -> run chrony\n'].join('\n'));
  daemon.checks = [clock, { name: 'deepgram-key', verdict: 'fail', detail: '401', remedy: 'set another key' }];
  const failed = await ctl(['doctor', '--socket', daemon.socketPath]);
  t.is(failed.code, 1);
  t.regex(failed.stdout, /^FAIL {2}deepgram-key {2}401\n {6}-> set another key$/m);
  t.is(failed.stderr, 'integratorctl: checks failed: deepgram-key; see the remedies above\n');
  const json = await ctl(['doctor', '--json', '--socket', daemon.socketPath]);
  t.is(json.code, 1);
  t.deepEqual(JSON.parse(json.stdout), { apiVersion: 1, checks: daemon.checks });
});

test('config shows the settings', async (t) => {
  const daemon = await fakeFor(t);
  daemon.settings = { PORT: 8080, DEEPGRAM_API_KEY: 'set', TRIGGER_SECRET: 'not set' };
  const { code, stdout } = await ctl(['config', '--socket', daemon.socketPath]);
  t.is(code, 0);
  t.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
    [
      ['PORT', '8080'],
      ['DEEPGRAM_API_KEY', 'set'],
      ['TRIGGER_SECRET', 'not set'],
    ],
  );
  const json = await ctl(['config', '--json', '--socket', daemon.socketPath]);
  t.deepEqual(JSON.parse(json.stdout), { apiVersion: 1, settings: daemon.settings });
});

test('version shows both versions, and its own if no daemon is running', async (t) => {
  const daemon = await fakeFor(t);
  const { version } = manifest;
  const run = (...args: string[]) => ctl(['version', ...args, '--socket', daemon.socketPath]);
  t.like(await run(), { code: 0, stdout: `integratorctl ${version}\nintegratord   9.8.7\n`, stderr: '' });
  const versions = { apiVersion: 1, integratorctl: version, integratord: '9.8.7' };
  t.deepEqual(JSON.parse((await run('--json')).stdout), versions);
  await daemon.leave();
  t.like(await run(), { code: 3, stdout: `integratorctl ${version}\nintegratord   not running\n` });
  t.is((await ctl(['--version'])).stdout, `${version}\n`);
});

test('a daemon with another version of the API is refused', async (t) => {
  const daemon = await fakeFor(t);
  daemon.instead.set('GET /v1/sessions', { status: 200, body: { apiVersion: 2, sessions: [] } });
  const { code, stdout, stderr } = await ctl(['sessions', '--socket', daemon.socketPath]);
  t.deepEqual([code, stdout], [1, '']);
  t.regex(stderr, /version 2 of the control API, this integratorctl version 1; use the integratorctl/);
});

test("a refusal shows the daemon's message", async (t) => {
  const daemon = await fakeFor(t);
  daemon.instead.set('GET /v1/config', refusal(500, 'fault', 'the daemon is confused'));
  const stderr = 'integratorctl: integratord refused: the daemon is confused\n';
  t.like(await ctl(['config', '--socket', daemon.socketPath]), { code: 1, stdout: '', stderr });
});

test('log-level shows the level and how long it applies, and changes it', async (t) => {
  const daemon = await fakeFor(t);
  const run = (...args: string[]) => ctl(['log-level', ...args, '--socket', daemon.socketPath]);
  t.like(await run(), { code: 0, stdout: 'the log level is info\n', stderr: '' });
  const changed = 'the log level is debug until the next start; LOG_LEVEL is info\n';
  const { code, stdout, stderr } = await run('debug');
  t.deepEqual([code, stdout], [0, changed]);
  t.regex(stderr, /debug logs the transcripts that come back/);
  t.deepEqual(daemon.bodiesOf('POST /v1/log-level'), [{ level: 'debug' }]);
  t.like(await run(), { code: 0, stdout: changed });
  t.deepEqual(JSON.parse((await run('--json')).stdout), { apiVersion: 1, level: 'debug', configured: 'info' });
});

test('log-level can return to LOG_LEVEL after a time', async (t) => {
  const daemon = await fakeFor(t);
  const run = (...args: string[]) => ctl(['log-level', ...args, '--socket', daemon.socketPath]);
  t.is((await run('debug', '--for', '10m')).code, 0);
  t.deepEqual(daemon.bodiesOf('POST /v1/log-level'), [{ level: 'debug', forMs: 600_000 }]);
  daemon.level = { level: 'debug', configured: 'info', untilEpochMs: NOW_EPOCH_MS };
  t.is((await run()).stdout, 'the log level is debug until 2026-01-02T03:04:05.000Z; LOG_LEVEL is info\n');
  t.like(await run('--for', '10m'), { code: 2, stdout: '' });
});

test('an unknown level is a usage error that lists the levels, and is not sent', async (t) => {
  const daemon = await fakeFor(t);
  const { code, stderr } = await ctl(['log-level', 'loud', '--socket', daemon.socketPath]);
  t.is(code, 2);
  t.regex(stderr, /^integratorctl: .*'loud' is invalid.*trace, debug, info, warn, error, fatal, silent/);
  t.deepEqual(daemon.requests, []);
});

test('results shows what waits to be delivered and the dead letters', async (t) => {
  const daemon = await fakeFor(t);
  const run = (...args: string[]) => ctl([...args, '--socket', daemon.socketPath]);
  t.regex(
    (await run('results')).stdout,
    /^undelivered events +0\ndead letters +0 in \/var\/lib\/integratord\/dead-letters\n$/,
  );
  daemon.results = { backlog: 7, oldestAgeMs: 724_000, deadLetters: 3, place: 's3://a-bucket/x/' };
  const { stdout, code } = await run('results', 'status');
  t.is(code, 0);
  t.regex(stdout, /^undelivered events +7, the oldest for 12m04s\ndead letters +3 in s3:\/\/a-bucket\/x\/\n$/);
  t.deepEqual(JSON.parse((await run('results', '--json')).stdout), { apiVersion: 1, ...daemon.results });
  daemon.results = { backlog: 0, oldestAgeMs: 0, deadLetters: 0 };
  t.regex((await run('results')).stdout, /not kept/);
});

test('status shows undelivered results too, and why they are not known when their place fails', async (t) => {
  const daemon = await fakeFor(t);
  const run = (...args: string[]) => ctl([...args, '--socket', daemon.socketPath]);
  t.regex((await run('status')).stdout, /^results +all delivered$/m);
  daemon.results = { backlog: 7, oldestAgeMs: 724_000, deadLetters: 3, place: 's3://a-bucket/x/' };
  t.regex((await run('status')).stdout, /^results +7 events wait, the oldest for 12m04s; 3 dead letters$/m);
  t.deepEqual(JSON.parse((await run('status', '--json')).stdout).results, daemon.results);
  daemon.instead.set('GET /v1/results', refusal(502, 'dead-letters-unreachable', 'Cannot read the dead letters: no'));
  const failing = await run('status');
  t.is(failing.code, 0);
  t.regex(failing.stdout, /^results +.*Cannot read the dead letters: no/m);
});

test('results retry says what arrived, and fails while something is left', async (t) => {
  const daemon = await fakeFor(t);
  const run = (...args: string[]) => ctl([...args, '--socket', daemon.socketPath]);
  daemon.retried = { delivered: 1, left: 0, unreadable: 0, notRemoved: 0 };
  t.like(await run('results', 'retry'), { code: 0, stdout: 'delivered 1 dead letter\n', stderr: '' });
  daemon.retried = { delivered: 2, left: 3, unreadable: 1, notRemoved: 0 };
  const failed = await run('results', 'retry');
  t.is(failed.code, 1);
  t.is(failed.stdout, 'delivered 2 dead letters\n');
  t.regex(failed.stderr, /3 dead letters not delivered, 1 dead letter cannot be opened: is STATE_KEY the right one\?/);
  daemon.retried = { delivered: 2, left: 0, unreadable: 0, notRemoved: 2 };
  t.regex(
    (await run('results', 'retry')).stderr,
    /integratorctl: 2 dead letters delivered but not removed; see the log/,
  );
  daemon.instead.set(
    'POST /v1/results/retry',
    refusal(502, 'dead-letters-unreachable', 'Cannot read the dead letters: SlowDown'),
  );
  t.like(await run('results', 'retry'), { code: 1, stdout: '' });
});
