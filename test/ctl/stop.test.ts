import test from 'ava';
import { CtlProcess, ctl } from './ctl-process.ts';
import { aSession } from './examples.ts';
import { refusal } from './fake-daemon.ts';
import { fakeFor } from './fake-for.ts';
import { atDesk } from './terminal.ts';

const SESSIONS = [
  aSession({ sessionId: 'aa-1', contactId: 'c-1' }),
  aSession({ sessionId: 'bb-2', contactId: 'c-1' }),
  aSession({ sessionId: 'cc-3', contactId: 'c-2' }),
  aSession({ sessionId: 'dd-4', contactId: 'c-2', state: 'ended' }),
];

test('sessions stop ends the selected sessions and shows how each ended', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  const { code, stdout, stderr } = await ctl(['sessions', 'stop', 'aa', 'cc-3', 'aa-1', '--socket', daemon.socketPath]);
  t.deepEqual([code, stderr], [0, '']);
  t.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ +/)),
    [
      ['SESSION', 'CONTACT', 'OUTCOME', 'REASON'],
      ['aa-1', 'c-1', 'completed', 'stopped'],
      ['cc-3', 'c-2', 'completed', 'stopped'],
    ],
  );
  t.is(daemon.bodiesOf('POST /v1/sessions/aa-1/stop').length, 1, 'listed twice, stopped once');
  t.is(daemon.bodiesOf('POST /v1/sessions/bb-2/stop').length, 0);
});

test('sessions stop accepts a contact, and prints JSON', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  const { code, stdout } = await ctl(['sessions', 'stop', '--contact', 'c-1', '--json', '--socket', daemon.socketPath]);
  t.is(code, 0);
  const ending = { outcome: 'completed', reason: 'stopped' };
  t.deepEqual(JSON.parse(stdout), {
    apiVersion: 1,
    stopped: [
      { contactId: 'c-1', sessionId: 'aa-1', ...ending },
      { contactId: 'c-1', sessionId: 'bb-2', ...ending },
    ],
  });
});

test('nothing is stopped if one of the ids is wrong', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  t.is((await ctl(['sessions', 'stop', 'aa-1', 'zz', '--socket', daemon.socketPath])).code, 4);
  t.deepEqual(
    daemon.requests.map(({ request }) => request),
    ['GET /v1/sessions'],
  );
});

test('sessions that ended as failed, or before the request, are shown as such', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  daemon.stopped = { outcome: 'failed', reason: 'deepgram-lost', error: 'no answer' };
  daemon.instead.set('POST /v1/sessions/bb-2/stop', refusal(404, 'not-found'));
  const { code, stdout, stderr } = await ctl(['sessions', 'stop', '--contact', 'c-1', '--socket', daemon.socketPath]);
  t.is(code, 1);
  t.regex(stdout, /^aa-1 +c-1 +failed +deepgram-lost: no answer\nbb-2 +c-1 +already-over +-$/m);
  t.is(stderr, 'integratorctl: 1 of 2 sessions ended as failed; see: journalctl -u integratord\n');
});

test('a stop that a draining daemon refuses exits with 6', async (t) => {
  const daemon = await fakeFor(t);
  daemon.instead.set(`POST /v1/sessions/${aSession().sessionId}/stop`, refusal(409, 'draining', 'it drains'));
  const { code, stdout, stderr } = await ctl(['sessions', 'stop', 'c0ff', '--socket', daemon.socketPath]);
  t.deepEqual([code, stdout, stderr], [6, '', 'integratorctl: integratord refused: it drains\n']);
});

test('Ctrl-C while waiting for the last results says that the sessions will still end', async (t) => {
  const daemon = await fakeFor(t);
  const request = `POST /v1/sessions/${aSession().sessionId}/stop`;
  daemon.instead.set(request, new Promise(() => {}));
  const stop = new CtlProcess(['sessions', 'stop', 'c0ff', '--socket', daemon.socketPath]);
  await daemon.received(request);
  stop.child.kill('SIGINT');
  const stderr = 'integratorctl: interrupted; the sessions will still end; see: integratorctl sessions\n';
  t.deepEqual(await stop.ended, { code: 130, stdout: '', stderr });
});

test('sessions that were not stopped are named, also in JSON, and the others end', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  daemon.instead.set('POST /v1/sessions/bb-2/stop', refusal(500, 'internal-error', 'Internal error'));
  const all = ['sessions', 'stop', '--all', '--yes', '--socket', daemon.socketPath];
  const { code, stdout, stderr } = await ctl(all);
  t.is(code, 1);
  t.regex(
    stdout,
    /^aa-1 .*\ncc-3 +c-2 +completed +stopped\nbb-2 +c-1 +not stopped +integratord refused: Internal error$/m,
  );
  t.is(stderr, 'integratorctl: 1 of 3 sessions were not stopped: integratord refused: Internal error\n');
  const json = JSON.parse((await ctl([...all, '--json'])).stdout);
  t.is(json.stopped.length, 2);
  t.deepEqual(json.notStopped, [{ sessionId: 'bb-2', contactId: 'c-1', error: 'integratord refused: Internal error' }]);
});

test('--all stops more sessions than the socket takes connections, while the daemon is busy', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = Array.from({ length: 1200 }, (_, at) => aSession({ sessionId: `session-${at}` }));
  daemon.busyMs = 1000;
  const all = ['sessions', 'stop', '--all', '--yes', '--json', '--socket', daemon.socketPath];
  const { code, stdout, stderr } = await new CtlProcess(all).ended;
  t.deepEqual([code, stderr], [0, '']);
  t.is(JSON.parse(stdout).stopped.length, 1200);
});

test('Ctrl-C names the sessions that were not asked to stop yet', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = Array.from({ length: 300 }, (_, at) => aSession({ sessionId: `session-${at}` }));
  const last = 'POST /v1/sessions/session-255/stop';
  for (const { sessionId } of daemon.sessions) {
    daemon.instead.set(`POST /v1/sessions/${sessionId}/stop`, new Promise(() => {}));
  }
  const stop = new CtlProcess(['sessions', 'stop', '--all', '--yes', '--no-header', '--socket', daemon.socketPath]);
  await daemon.received(last);
  stop.child.kill('SIGINT');
  const { code, stdout, stderr } = await stop.ended;
  t.is(code, 130);
  t.is(
    stderr,
    'integratorctl: interrupted; the sessions will still end, except those listed as not stopped; see: integratorctl sessions\n',
  );
  const lines = stdout.trimEnd().split('\n');
  t.is(lines.length, 300 - 256);
  t.regex(lines[0] ?? '', /^session-256 .* not stopped +not asked to stop$/);
});

test('--all without a terminal needs --yes', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  const asked = await ctl(['sessions', 'stop', '--all', '--socket', daemon.socketPath]);
  t.is(asked.code, 2);
  t.regex(asked.stderr, /^integratorctl: --all without a terminal to confirm at needs --yes\n$/);
  t.deepEqual(daemon.requests, []);
  const { code, stdout } = await ctl(['sessions', 'stop', '--all', '--yes', '--socket', daemon.socketPath]);
  t.is(code, 0);
  t.deepEqual(stdout.match(/^\S+-\d/gm), ['aa-1', 'bb-2', 'cc-3'], 'ended sessions are not stopped again');
});

test('--all asks for confirmation on a terminal, and stops nothing without a yes', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  for (const typed of ['n\n', '\n', '', 'yesterday\n']) {
    const { code, stderr } = await atDesk(['sessions', 'stop', '--all'], { socketPath: daemon.socketPath, typed });
    t.is(code, 1, JSON.stringify(typed));
    t.regex(stderr.text, /^Stop all 3 sessions of this daemon\? \[y\/N\] .*nothing was stopped/);
  }
  t.is(daemon.bodiesOf('POST /v1/sessions/aa-1/stop').length, 0);
  t.is((await atDesk(['sessions', 'stop', '--all'], { socketPath: daemon.socketPath, typed: 'y\n' })).code, 0);
  t.is(daemon.bodiesOf('POST /v1/sessions/aa-1/stop').length, 1);
});

test('the sessions to stop are selected in exactly one way', async (t) => {
  const daemon = await fakeFor(t);
  for (const args of [[], ['aa-1', '--all', '--yes'], ['--contact', 'c-1', '--all', '--yes']]) {
    t.is((await ctl(['sessions', 'stop', ...args, '--socket', daemon.socketPath])).code, 2, args.join(' '));
  }
  t.deepEqual(daemon.requests, []);
});
