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
    ['sessions', '-o', 'wide'],
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
  t.regex(first, /^30 sessions, largest lag 12ms/);
  t.regex(first, /and 25 more/);
  t.regex(second, /session-0.*\n.*session-1/);
  t.notRegex(second, /more|session-2/);
  t.regex(stderr.text, /seen enough/);
});

/** Two sessions of one contact that began in the same minute, as ids look in production, and one in trouble. */
const SESSIONS = [
  aSession({ sessionId: '0190b1c2-7a00-4c3d-9e51-2f6a7b8c9d0e', contactId: '3c0ffee1-11aa-4bb0-8cc1-000000000001' }),
  aSession({ sessionId: '0190b1c2-7b00-4c3d-9e51-2f6a7b8c9d0f', contactId: '3c0ffee1-11aa-4bb0-8cc1-000000000001' }),
  aSession({
    sessionId: '7f3a9c1e-0000-4c3d-9e51-2f6a7b8c9d10',
    contactId: '9e51aaaa-22bb-4cc0-8dd1-000000000002',
    state: 'ending',
    lagMs: 12_345,
    gapMs: 63_000,
    reconnects: 12,
  }),
];

for (const columns of [40, 60, 80, 100, 140, 200]) {
  test(`the list fits a terminal of ${columns} columns, with the most important columns first`, async (t) => {
    const daemon = await fakeFor(t);
    daemon.sessions = SESSIONS;
    const { stdout } = await atDesk(['sessions'], { socketPath: daemon.socketPath, screen: new Screen({ columns }) });
    const lines = stdout.plain.trimEnd().split('\n');
    for (const line of lines.slice(0, -1)) t.true(line.length <= columns, `${line.length}: ${line}`);
    const titles = ['SESSION', 'CONTACT', 'STATE', 'AGE', 'LAG', 'GAPS', 'RECONNECTS'];
    const shown = lines[0]?.split(/\s+/) ?? [];
    t.deepEqual(shown, titles.slice(0, shown.length));
    t.true(columns < 80 || shown.length === titles.length);
    t.is(lines.at(-1), '3 sessions, largest lag 12.3s, 1 with gaps (1m03s)');
  });
}

test('ids are as short as they can be, and every command accepts them', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = SESSIONS;
  const { socketPath } = daemon;
  const { stdout } = await atDesk(['sessions', '--no-header'], { socketPath });
  const shown = stdout.plain
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  t.deepEqual(shown, ['0190b1c2-7a', '0190b1c2-7b', '7f3a9c1e-00']);
  for (const id of shown) t.is((await atDesk(['sessions', 'show', id], { socketPath })).code, 0);
});

test('a terminal that does not know its width gets lines for 80 columns', async (t) => {
  const { socketPath } = await fakeFor(t);
  const [unknown, eighty] = [new Screen({ columns: 0 }), new Screen({ columns: 80 })];
  for (const screen of [unknown, eighty]) await atDesk(['status'], { socketPath, screen });
  t.is(unknown.plain, eighty.plain);
});

for (const columns of [60, 80, 140]) {
  test(`long values are wrapped between words in a terminal of ${columns} columns`, async (t) => {
    const daemon = await fakeFor(t);
    daemon.sessions = [aSession({ sessionId: 's-1' })];
    const error = `DeepgramLost: ${'Deepgram closed the stream '.repeat(4)}(dg-request-id request-1)`;
    daemon.details = { params: { tag: 'x'.repeat(100) }, timeline: [{ atEpochMs: 1, event: 'deepgram.lost', error }] };
    daemon.checks = [{ name: 'settings', verdict: 'fail', detail: error, remedy: error }];
    for (const command of [['sessions', 'show', 's-1'], ['doctor'], ['status']]) {
      const screen = new Screen({ columns });
      await atDesk(command, { socketPath: daemon.socketPath, screen });
      for (const line of screen.plain.split('\n')) t.true(line.length <= columns, line);
      const words = screen.plain.replaceAll(/\s+/g, ' ');
      if (command[0] !== 'status') t.true(words.includes(error), words);
    }
  });
}
