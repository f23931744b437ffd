import test from 'ava';
import { ctl } from './ctl-process.ts';
import { aDrain, aSession } from './examples.ts';
import { fakeFor } from './fake-for.ts';
import { atDesk, deskClock, Screen } from './terminal.ts';

const ESCAPE = '\x1b';

test('only a terminal that has colors gets them', async (t) => {
  const { socketPath } = await fakeFor(t);
  const CASES: [desk: Omit<Parameters<typeof atDesk>[1], 'socketPath'>, isColored: boolean][] = [
    [{}, true],
    [{ env: { NO_COLOR: '1' } }, false],
    [{ env: { NO_COLOR: '' } }, true],
    [{ env: { TERM: 'dumb' } }, false],
    [{ screen: new Screen({ isTTY: false }) }, false],
  ];
  for (const [desk, isColored] of CASES) {
    const { stdout } = await atDesk(['sessions'], { socketPath, ...desk });
    t.is(stdout.text.includes(ESCAPE), isColored, JSON.stringify(desk));
    t.regex(stdout.plain, /^SESSION .*\nc0ffee00/);
  }
});

test('untrusted text cannot control the terminal', async (t) => {
  const daemon = await fakeFor(t);
  const evil = `${ESCAPE}]0;owned\x07\x9b2J\r\n\u202e\x7f`;
  const shown = '\\u001b]0;owned\\u0007\\u009b2J\\u000d\\u000a\\u202e\\u007f';
  daemon.sessions = [aSession({ sessionId: 's-1', model: evil, contactId: evil })];
  daemon.details = { params: { tag: evil }, timeline: [{ atEpochMs: 1, event: evil, detail: { deep: evil } }] };
  daemon.checks = [{ name: evil, verdict: 'warn', detail: evil, remedy: evil }];
  daemon.settings = { STATE_DIR: evil };
  daemon.drain = aDrain({ reason: evil });
  daemon.status = { ...daemon.status, version: evil, region: evil, drain: daemon.drain };
  daemon.instead.set('POST /v1/cordon', { status: 409, body: { reason: evil, message: evil } });
  const COMMANDS = [
    ['sessions'],
    ['sessions', 'show', 's-1'],
    ['sessions', 'show', 's-1', '--json'],
    ['sessions', 'stop', 's-1'],
    ['status'],
    ['version'],
    ['doctor'],
    ['config'],
    ['cordon'],
    ['frobnicate', evil],
  ];
  for (const command of COMMANDS) {
    const { stdout, stderr } = await ctl([...command, '--socket', daemon.socketPath]);
    const text = stdout + stderr;
    t.notRegex(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u, command.join(' '));
    if (command[0] !== 'frobnicate') t.true(text.includes('owned'), command.join(' '));
    if (command[0] === 'config') t.true(text.includes(shown));
  }
  const { stdout } = await ctl(['sessions', '--json', '--socket', daemon.socketPath]);
  t.is(JSON.parse(stdout).sessions[0].model, evil, 'JSON parses to the original value');
});

test('on a terminal, drain redraws one line, cut at its width', async (t) => {
  const daemon = await fakeFor(t);
  const screen = new Screen({ columns: 40 });
  const { code } = await atDesk(['drain'], {
    socketPath: daemon.socketPath,
    screen,
    clock: deskClock((nth) => {
      if (nth === 2) daemon.drain = aDrain({ sessionsLeft: 0, state: 'drained' });
    }),
  });
  t.is(code, 0);
  const frames = screen.text.split(`\r${ESCAPE}[2K`);
  const line = 'draining: 3 sessions left, longest call ';
  t.deepEqual(frames, ['', line.slice(0, 39), line.slice(0, 39), 'drained: no sessions left\n']);
});

test('drain counts down to the deadline', async (t) => {
  const daemon = await fakeFor(t);
  const { sinceEpochMs } = aDrain();
  daemon.drain = aDrain({ deadlineAtEpochMs: sinceEpochMs + 90_000 });
  const { stdout } = await atDesk(['drain'], {
    socketPath: daemon.socketPath,
    clock: deskClock((nth) => {
      if (nth === 2) daemon.drain = aDrain({ sessionsLeft: 0, state: 'drained' });
    }),
  });
  t.regex(stdout.plain, /deadline in 1m30s.*deadline in 1m29s/s);
});

test('watch overwrites its previous frame, and shows as much as fits the screen', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = Array.from({ length: 30 }, (_, at) => aSession({ sessionId: `session-${at}` }));
  const screen = new Screen({ rows: 10 });
  const end = new Error('seen enough');
  const { stderr } = await atDesk(['sessions', 'watch', '--sort', 'session'], {
    socketPath: daemon.socketPath,
    screen,
    clock: deskClock((nth) => {
      if (nth === 1) daemon.sessions = daemon.sessions.slice(0, 2);
      if (nth === 2) throw end;
    }),
  });
  const [, first = '', second = ''] = screen.text.split(`${ESCAPE}[H`);
  t.is(first.split('\n').length, 10);
  t.regex(first, /and 23 more/);
  t.regex(second, /session-0.*\n.*session-1/);
  t.notRegex(second, /more|session-2/);
  t.regex(stderr.text, /seen enough/);
});
