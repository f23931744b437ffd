import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { listening, NOWHERE } from '../support/loopback.ts';
import { CTL, CtlProcess, ctl } from './ctl-process.ts';
import { aSession } from './examples.ts';
import { ok, type Reply } from './fake-daemon.ts';
import { fakeFor } from './fake-for.ts';
import { canTryAsNobody, NOBODY } from './nobody.ts';
import { atDesk, deskClock } from './terminal.ts';

const COMMANDS = [
  ['sessions'],
  ['sessions', 'show', 'x'],
  ['sessions', 'watch'],
  ['sessions', 'stop', 'x'],
  ['status'],
  ['drain'],
  ['cordon'],
  ['uncordon'],
  ['results'],
  ['results', 'retry'],
];

test('without a daemon every command names the socket and exits with 3', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'ctl-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const socket = join(directory, 'none.sock');
  const stderr = `integratorctl: integratord is not listening on ${socket} (ENOENT); see: systemctl status integratord\n`;
  for (const command of COMMANDS) {
    t.deepEqual(await ctl([...command, '--socket', socket]), { code: 3, stdout: '', stderr }, command.join(' '));
  }
});

test('a socket that a killed daemon left behind counts as no daemon', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'ctl-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const socket = join(directory, 'control.sock');
  // A process of its own: children of this one, while they start, would hold a socket that it has closed.
  const script = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => console.log('listening'))`;
  const daemon = spawn(process.execPath, ['--eval', script]);
  await once(daemon.stdout, 'data');
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  const { code, stderr } = await ctl(['status', '--socket', socket]);
  t.is(code, 3);
  t.regex(stderr, /\(ECONNREFUSED\); see: systemctl status integratord/);
});

(canTryAsNobody ? test : test.skip)(
  'a user without permission gets the name of the group, and exit code 7',
  async (t) => {
    const daemon = await fakeFor(t);
    const { code, stdout, stderr } = await new CtlProcess(['status', '--socket', daemon.socketPath], { uid: NOBODY })
      .ended;
    t.deepEqual([code, stdout], [7, '']);
    t.regex(stderr, /^integratorctl: no permission to use \S+; use sudo, or join the group integrator\n$/);
  },
);

test('a usage error is reported in one line, and exits with 2', async (t) => {
  const CASES: [args: string[], stderr: RegExp][] = [
    [['frobnicate'], /unknown command 'frobnicate'; see: integratorctl --help/],
    [
      ['sessions', '--stat', 'x'],
      /unknown option '--stat' \(Did you mean --state\?\); see: integratorctl sessions list/,
    ],
    [['sessions', '--state', 'odd'], /Allowed choices are running, ending, ended, completed, failed; see/],
    [['sessions', '--limit', '0'], /It must be a positive whole number; see/],
    [['sessions', 'shw', 'x'], /unknown command 'shw'; see: integratorctl sessions --help/],
    [['sessions', 'show'], /missing required argument 'id'; see: integratorctl sessions show --help/],
    [['drain', '--deadline', '10'], /It must be a duration with a unit, such as 90s or 1h30m; see/],
    [['drain', '--deadline', '3d'], /'3d' is invalid\. It must be at most 48h; see/],
    [['log-level', 'debug', '--for', '2d'], /'2d' is invalid\. It must be at most 24h; see/],
    [['log-level', 'debug', '--for', '0s'], /It must be at least 1ms; see/],
    [['cordon', '--reason', 'x'.repeat(501)], /It must have at most 500 characters; see/],
    [['drain', '--reason', 'x'.repeat(501)], /It must have at most 500 characters; see/],
    [['drain', '--cancel', '--detach'], /'--cancel' cannot be used with option '--detach'; see/],
    [['completion', 'tcsh'], /Allowed choices are bash; see/],
  ];
  for (const [args, expected] of CASES) {
    const { code, stdout, stderr } = await ctl(args);
    t.deepEqual([code, stdout], [2, ''], args.join(' '));
    t.regex(stderr, /^integratorctl: [^\n]+\n$/);
    t.regex(stderr, expected);
  }
});

test('without a command the help goes to stderr with exit code 2; --help prints it to stdout, exit codes included', async (t) => {
  const bare = await ctl([]);
  t.deepEqual([bare.code, bare.stdout], [2, '']);
  t.regex(bare.stderr, /^Usage: integratorctl/);
  const help = await ctl(['--help']);
  t.deepEqual([help.code, help.stderr], [0, '']);
  t.regex(
    help.stdout,
    /Exit codes:\n {4}0 {2}success\n(.*\n)*? {4}7 {2}no permission to use the control socket, or to read the journal or a credential\n {2}130 {2}/,
  );
});

test('Ctrl-C during a slow response exits with 130', async (t) => {
  const daemon = await fakeFor(t);
  daemon.instead.set('GET /v1/status', new Promise(() => {}));
  const status = new CtlProcess(['status', '--socket', daemon.socketPath]);
  await daemon.received('GET /v1/status');
  status.child.kill('SIGINT');
  t.like(await status.ended, { code: 130, stdout: '' });
});

test('a daemon that does not respond within 10 s is a failure', async (t) => {
  const daemon = await fakeFor(t);
  daemon.instead.set('GET /v1/status', new Promise(() => {}));
  const clock = deskClock();
  const status = atDesk(['status'], { socketPath: daemon.socketPath, clock });
  await daemon.received('GET /v1/status');
  clock.forward(10_000);
  const { code, stderr } = await status;
  t.is(code, 1);
  t.is(stderr.text, 'integratorctl: integratord did not respond within 10 s; see: journalctl -u integratord\n');
});

test('a session may take any time to stop', async (t) => {
  const daemon = await fakeFor(t);
  const request = `POST /v1/sessions/${aSession().sessionId}/stop`;
  const stopped = Promise.withResolvers<Reply>();
  daemon.instead.set(request, stopped.promise);
  const clock = deskClock();
  const stop = atDesk(['sessions', 'stop', 'c0ff'], { socketPath: daemon.socketPath, clock });
  await daemon.received(request);
  clock.forward(3_600_000);
  stopped.resolve(ok({ sessionId: aSession().sessionId, outcome: 'completed' }));
  t.is((await stop).code, 0);
});

test('a daemon that disappears before responding is a failure', async (t) => {
  const daemon = await fakeFor(t);
  daemon.instead.set('GET /v1/status', new Promise(() => {}));
  const status = new CtlProcess(['status', '--socket', daemon.socketPath]);
  await daemon.received('GET /v1/status');
  await daemon.leave();
  const { code, stderr } = await status.ended;
  t.is(code, 1);
  t.regex(stderr, /^integratorctl: integratord closed the connection \(.*\); see: journalctl -u integratord\n$/);
});

test('output that is closed early is not a failure', async (t) => {
  const daemon = await fakeFor(t);
  // More than a pipe's buffer holds.
  daemon.sessions = Array.from({ length: 3000 }, (_, at) => aSession({ sessionId: `session-${at}` }));
  const command = `"${process.execPath}" "${CTL}" sessions --socket "${daemon.socketPath}" | head -n 1; echo \${PIPESTATUS[0]}`;
  const { stdout, stderr } = await shell(command);
  t.regex(stdout, /^SESSION .*\n0\n$/);
  t.is(stderr, '');
});

test('logs ends when its output is closed, without a message', async (t) => {
  const daemon = await fakeFor(t);
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const line = JSON.stringify({ contactId: aSession().contactId, event: 'again and again' });
  await writeFile(join(directory, 'journalctl'), `#!/bin/sh\nexec yes '${line}'\n`, { mode: 0o755 });
  const env = { PATH: `${directory}:/bin:/usr/bin` };
  const logs = new CtlProcess(['logs', aSession().contactId, '--socket', daemon.socketPath], { env });
  await logs.says('stdout', /again/);
  logs.stopReading();
  const { code, stderr } = await logs.ended;
  t.deepEqual([code, stderr], [0, '']);
});

test('Ctrl-C during the checks of a daemon that does not run exits with 130', async (t) => {
  const reached = Promise.withResolvers<void>();
  const port = await listening(
    t,
    createServer(() => reached.resolve()),
  );
  const settings = { AWS_REGION: 'us-east-1', DEEPGRAM_API_KEY: 'planted', DEEPGRAM_API: `ws://127.0.0.1:${port}` };
  const env = { ...settings, AWS_ENDPOINT_URL: `http://${NOWHERE}`, CONTROL_SOCKET: '/tmp/integratord-none.sock' };
  const doctor = new CtlProcess(['doctor'], { env });
  await reached.promise;
  doctor.child.kill('SIGINT');
  const { code, stdout, stderr } = await doctor.ended;
  t.deepEqual([code, stdout], [130, ''], stderr);
  t.regex(stderr, /\nintegratorctl: interrupted\n$/);
});

test('watch runs until its output is closed', async (t) => {
  const daemon = await fakeFor(t);
  const watch = new CtlProcess(['sessions', 'watch', '--json', '--socket', daemon.socketPath]);
  await watch.says('stdout', /\n.*\n/);
  watch.stopReading();
  const { code, stdout, stderr } = await watch.ended;
  t.deepEqual([code, stderr], [0, '']);
  const [first, second] = stdout.split('\n').map((line) => line && JSON.parse(line));
  t.deepEqual(first.sessions, daemon.sessions);
  t.true(second.atEpochMs > first.atEpochMs);
});

async function shell(command: string): Promise<{ stdout: string; stderr: string }> {
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr };
}

const FULL = [
  [
    'stdout',
    '--help >/dev/full',
    /^integratorctl: cannot write the output \(ENOSPC: .*\); free the disk, or [^\n]*\n$/,
  ],
  ['stderr', 'nope 2>/dev/full', /^$/],
  ['stdout and stderr', '--help >/dev/full 2>&1', /^$/],
  ['stderr, for a command that would go on', 'drain --json 2>/dev/full >/dev/null', /^$/],
] as const;
for (const [what, args, report] of FULL) {
  test(`a full disk below ${what} ends integratorctl with 1 and at most one line`, async (t) => {
    const daemon = await fakeFor(t);
    const command = `CONTROL_SOCKET="${daemon.socketPath}" timeout 20 "${process.execPath}" "${CTL}" ${args}; echo $?`;
    const { stdout, stderr } = await shell(command);
    t.is(stdout, '1\n');
    t.regex(stderr, report);
  });
}
