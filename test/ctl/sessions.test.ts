import test from 'ava';
import { ctl } from './ctl-process.ts';
import { aSession, NOW_EPOCH_MS } from './examples.ts';
import { fakeFor } from './fake-for.ts';

const OLD = aSession({ sessionId: 'old-1', contactId: 'c-1', ageMs: 7_380_000, lagMs: 5, gapMs: 1500, reconnects: 2 });
const YOUNG = aSession({ sessionId: 'young-1', contactId: 'c-2', ageMs: 9000, lagMs: 250, state: 'ending' });
const { model: _, callbackHost: __, ...BARE } = aSession({ sessionId: 'bare-1', contactId: 'c-2', ageMs: 90_000 });

test('the wide list has one session per line, oldest first, in all columns', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = [YOUNG, BARE, OLD];
  const { code, stdout, stderr } = await ctl(['sessions', '--output', 'wide', '--socket', daemon.socketPath]);
  t.deepEqual([code, stderr], [0, '']);
  const [table = '', summary] = stdout.trimEnd().split('\n\n');
  t.is(summary, '3 sessions, largest lag 250ms, 1 with gaps (1.5s)');
  const rows = table.split('\n');
  t.deepEqual(
    rows.map((row) => row.trim().split(/\s+/)),
    [
      'SESSION CONTACT STATE AGE LAG GAPS RECONNECTS AUDIO MODEL CALLBACK-HOST'.split(' '),
      ['old-1', 'c-1', 'running', '2h03m', '5ms', '1.5s', '2', '1h01m', 'nova-3', 'results.example.com'],
      ['bare-1', 'c-2', 'running', '1m30s', '12ms', '0ms', '0', '1h01m', '-', '-'],
      ['young-1', 'c-2', 'ending', '9.0s', '250ms', '0ms', '0', '1h01m', 'nova-3', 'results.example.com'],
    ],
  );
  const contactColumn = rows.map((row) => row.search(/CONTACT|c-\d/));
  t.is(new Set(contactColumn).size, 1, 'the columns are aligned');
});

test('the summary says how many of all sessions are shown; a list without any is no bare title', async (t) => {
  const daemon = await fakeFor(t);
  const list = async (...args: string[]) =>
    (await ctl(['sessions', 'list', ...args, '--socket', daemon.socketPath])).stdout;
  daemon.sessions = [OLD, BARE, YOUNG];
  t.regex(await list('--limit', '1'), /\n1 session of 3, largest lag 5ms, 1 with gaps \(1\.5s\)\n$/);
  daemon.sessions = [OLD];
  t.is(await list('--state', 'ending'), 'none of 1 session\n');
  daemon.sessions = [];
  t.is(await list(), 'no sessions\n');
  t.is(await list('--state', 'failed'), 'no sessions within a day, since the daemon started\n');
  t.is(await list('--no-header'), '');
});

test('the list can be filtered, sorted, limited, and printed without a header', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = [OLD, BARE, YOUNG];
  const CASES: [args: string[], ids: string[]][] = [
    [['--state', 'ending'], ['young-1']],
    [
      ['--contact', 'c-2'],
      ['bare-1', 'young-1'],
    ],
    [
      ['--contact', 'c-2', '--sort', 'lag'],
      ['young-1', 'bare-1'],
    ],
    [
      ['--sort', 'session'],
      ['bare-1', 'old-1', 'young-1'],
    ],
    [['--sort', 'reconnects', '--limit', '1'], ['old-1']],
    [['--state', 'ended'], []],
    [
      ['--sort', 'audio'],
      ['bare-1', 'old-1', 'young-1'],
    ],
  ];
  for (const [args, ids] of CASES) {
    const { code, stdout } = await ctl(['sessions', 'list', '--no-header', ...args], {
      env: { CONTROL_SOCKET: daemon.socketPath },
    });
    t.is(code, 0);
    t.deepEqual(stdout.match(/^\S+/gm) ?? [], ids, args.join(' '));
  }
});

test('--json prints the sessions as the daemon reports them', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = [YOUNG, OLD];
  const { code, stdout } = await ctl(['--json', '--socket', daemon.socketPath, 'sessions']);
  t.is(code, 0);
  t.deepEqual(JSON.parse(stdout), { apiVersion: 1, sessions: [OLD, YOUNG] });
});

test('sessions show prints figures, parameters and timeline', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = [OLD, YOUNG];
  daemon.details = {
    params: { model: 'nova-3', tag: ['a', 'b'], callback: 'https://***@results.example.com/x?key=***' },
    timeline: [
      { atEpochMs: NOW_EPOCH_MS, event: 'session.started' },
      { atEpochMs: NOW_EPOCH_MS + 61_000, event: 'deepgram.reconnected', disconnectedMs: 420, requestId: 'r-2' },
    ],
  };
  const { code, stdout } = await ctl(['sessions', 'show', 'ol', '--socket', daemon.socketPath]);
  t.is(code, 0);
  t.regex(
    stdout,
    /^session +old-1\ncontact +c-1\ntrace +0af7651916cd43dd8448eb211c80319c\nstate +running\nage +2h03m$/m,
  );
  t.regex(stdout, /^lag +5ms \(worst 345ms\)$/m);
  t.regex(stdout, /^tag +a\ntag +b\ncallback +https:\/\/\*\*\*@results/m);
  t.regex(stdout, /^2026-01-02T03:04:05.000Z +\+0ms +session.started +-$/m);
  t.regex(stdout, /^2026-01-02T03:05:06.000Z +\+1m01s +deepgram.reconnected +disconnectedMs=420 requestId=r-2$/m);
  const json = await ctl(['sessions', 'show', 'old-1', '--json', '--socket', daemon.socketPath]);
  t.deepEqual(JSON.parse(json.stdout), { apiVersion: 1, session: OLD, ...daemon.details });
});

test('columns can be chosen, and -o name prints full ids for scripts', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = [OLD, YOUNG];
  const env = { CONTROL_SOCKET: daemon.socketPath };
  const chosen = await ctl(['sessions', '--no-header', '--columns', 'lag,session'], { env });
  t.is(chosen.stdout, '  5ms  old-1\n250ms  young-1\n');
  t.is((await ctl(['sessions', '-o', 'name'], { env })).stdout, 'old-1\nyoung-1\n');
  const wrong = await ctl(['sessions', '--columns', 'lag,color'], { env });
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /Columns are session, contact, state/);
});

test('a contact id names its session; with several sessions, stop takes all of them', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = [OLD, BARE, YOUNG];
  const env = { CONTROL_SOCKET: daemon.socketPath };
  t.regex((await ctl(['sessions', 'show', 'c-1'], { env })).stdout, /^session +old-1$/m);
  const several = await ctl(['sessions', 'show', 'c-2'], { env });
  t.is(several.code, 2);
  t.regex(several.stderr, /contact c-2 has 2 sessions, select one of them: bare-1 young-1/);
  const stopped = await ctl(['sessions', 'stop', 'c-2', '--json'], { env });
  t.deepEqual(
    JSON.parse(stopped.stdout).stopped.map(({ sessionId }: { sessionId: string }) => sessionId),
    ['bare-1', 'young-1'],
  );
});

test('an unknown id is not found; an ambiguous prefix is a usage error that lists the matches', async (t) => {
  const daemon = await fakeFor(t);
  daemon.sessions = ['ab-1', 'ab-2', 'ab'].map((sessionId) => aSession({ sessionId }));
  const show = (id: string) => ctl(['sessions', 'show', id, '--socket', daemon.socketPath]);
  t.like(await show('x'), {
    code: 4,
    stdout: '',
    stderr: 'integratorctl: no session x; see: integratorctl sessions\n',
  });
  const stderr = 'integratorctl: a is ambiguous: 3 sessions begin with it: ab-1 ab-2 ab\n';
  t.like(await show('a'), { code: 2, stdout: '', stderr });
  t.is((await show('ab')).code, 0, 'a full id is never ambiguous');
  t.is((await show('')).code, 2, 'an unset variable in a script');
});
