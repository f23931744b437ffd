import test from 'ava';
import { drainText } from '../../daemon/ctl/output/drain-text.ts';
import { CtlProcess, ctl } from './ctl-process.ts';
import { aDrain } from './examples.ts';
import { fakeFor } from './fake-for.ts';
import { atDesk, deskClock } from './terminal.ts';

const DRAIN = aDrain();
const PAST_EPOCH_MS = 1;

test('off a terminal, drain prints a line per change, and exits with 0 when the daemon is drained', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  await daemon.received('GET /v1/drain', 4);
  daemon.drain = { ...DRAIN, sessionsLeft: 1, longestCallMs: 725_000 };
  await drain.says('stdout', /1 session left/);
  daemon.drain = { ...DRAIN, sessionsLeft: 0, longestCallMs: 0, state: 'drained' };
  t.deepEqual(await drain.ended, {
    code: 0,
    stderr: '',
    stdout: [
      'draining: 3 sessions left, longest call 12m04s, no deadline',
      'draining: 1 session left, longest call 12m05s, no deadline',
      'drained: no sessions left\n',
    ].join('\n'),
  });
  t.deepEqual(daemon.bodiesOf('POST /v1/drain'), [{}]);
});

test('a drain whose results are not delivered yet says why the daemon still runs', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = { ...DRAIN, sessionsLeft: 0, state: 'drained' };
  daemon.results = { ...daemon.results, backlog: 3 };
  const { code, stdout, stderr } = await ctl(['drain', '--socket', daemon.socketPath]);
  t.deepEqual([code, stdout], [0, 'drained: no sessions left\n']);
  t.regex(stderr, /the daemon exits when 3 events are delivered or given up; see: integratorctl results\n$/);
});

test('drain --json writes its progress to stderr', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--json', '--socket', daemon.socketPath]);
  await drain.says('stderr', /^draining: 3 sessions left/);
  daemon.drain = { ...DRAIN, sessionsLeft: 0, state: 'drained' };
  const { code, stdout } = await drain.ended;
  t.is(code, 0);
  t.deepEqual(JSON.parse(stdout), { apiVersion: 1, drain: daemon.drain });
});

test('drain sends the deadline and the reason; --detach does not wait', async (t) => {
  const CASES: [args: string[], body: object][] = [
    [['--deadline', '1h30m', '--reason', 'kernel update'], { deadlineMs: 5_400_000, reason: 'kernel update' }],
    [['--no-deadline'], { deadlineMs: null }],
    [['--deadline', '0s'], { deadlineMs: 0 }],
    [[], {}],
  ];
  for (const [args, body] of CASES) {
    const daemon = await fakeFor(t);
    const { code, stdout } = await ctl(['drain', '--detach', ...args, '--socket', daemon.socketPath]);
    t.deepEqual([code, stdout], [0, 'draining: 3 sessions left, longest call 12m04s, no deadline\n']);
    t.deepEqual(daemon.bodiesOf('POST /v1/drain'), [body]);
  }
});

test('Ctrl-C detaches from the drain, which continues, and says how to attach again', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  drain.child.kill('SIGINT');
  const { code, stderr } = await drain.ended;
  t.is(code, 130);
  t.regex(
    stderr,
    /^integratorctl: detached, the drain continues; `integratorctl drain` attaches again, .*--cancel.*\n$/,
  );
  t.deepEqual(daemon.bodiesOf('DELETE /v1/drain'), []);
});

test('drain attaches to a running drain without changing it', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = { ...DRAIN, source: 'lifecycle', reason: 'scale-in' };
  const drain = new CtlProcess(['drain', '--reason', 'mine', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  daemon.drain = { ...DRAIN, sessionsLeft: 0, state: 'drained' };
  const { code, stderr } = await drain.ended;
  t.is(code, 0);
  t.regex(stderr, /^integratorctl: attached to the drain .* \(lifecycle: scale-in\); its reason does not change\n$/);
  t.deepEqual(daemon.bodiesOf('POST /v1/drain'), []);
});

test('drain with a deadline changes the deadline of a running drain', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = DRAIN;
  t.is((await ctl(['drain', '--deadline', '10m', '--detach', '--socket', daemon.socketPath])).code, 0);
  t.deepEqual(daemon.bodiesOf('POST /v1/drain'), [{ deadlineMs: 600_000 }]);
});

test('drain exits with 5 if the deadline ended sessions', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = { ...DRAIN, sessionsLeft: 2, state: 'ending-rest', deadlineAtEpochMs: PAST_EPOCH_MS };
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /deadline reached, ending remaining sessions: 2 sessions left/);
  daemon.drain = { ...daemon.drain, sessionsLeft: 0, state: 'drained' };
  const { code, stdout, stderr } = await drain.ended;
  t.is(code, 5);
  t.regex(stdout, /^drained: no sessions left$/m);
  t.regex(stderr, /^integratorctl: the deadline passed and ended 2 sessions; see: journalctl -u integratord$/m);
});

test('drain exits with 5 also if the daemon ended the remaining sessions and exited between two polls', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = { ...DRAIN, sessionsLeft: 1, deadlineAtEpochMs: PAST_EPOCH_MS };
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /1 session left/);
  await daemon.leave();
  t.is((await drain.ended).code, 5);
});

test('a daemon that exits and removes its socket has drained', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  await daemon.leave();
  const { code, stdout } = await drain.ended;
  t.is(code, 0);
  t.regex(stdout, /^drained: no sessions left$/m);
});

test('a daemon that is killed while it drains has not drained', async (t) => {
  const daemon = await fakeFor(t, { killable: true });
  const clock = deskClock((nth) => (nth === 1 ? daemon.leave() : undefined));
  const startedMs = clock.now();
  const { code, stderr } = await atDesk(['drain'], { socketPath: daemon.socketPath, clock });
  t.is(code, 1);
  t.regex(stderr.text, /the daemon died before it was drained; see: journalctl -u integratord/);
  const waitedMs = clock.now() - startedMs;
  t.true(waitedMs > 2000 && waitedMs < 4000, `${waitedMs} ms`);
});

test('drain ends when another operator cancels the drain', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  daemon.drain = undefined;
  const { code, stderr } = await drain.ended;
  t.is(code, 1);
  t.regex(stderr, /the drain was canceled, or the daemon was restarted; see: integratorctl status/);
});

test("drain --cancel cancels an operator's drain only", async (t) => {
  const daemon = await fakeFor(t);
  const cancel = () => ctl(['drain', '--cancel', '--socket', daemon.socketPath]);
  t.is((await cancel()).code, 1, 'no drain is left to cancel');
  daemon.drain = DRAIN;
  t.like(await cancel(), { code: 0, stdout: 'drain canceled; the daemon is serving\n' });
  daemon.drain = { ...DRAIN, source: 'spot' };
  t.like(await cancel(), { code: 6, stdout: '' });
});

test('drain detaches when its output is closed', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  drain.stopReading();
  daemon.drain = { ...DRAIN, sessionsLeft: 2 };
  const { code, stderr } = await drain.ended;
  t.is(code, 130);
  t.regex(stderr, /^integratorctl: detached, the drain continues/);
});

test('a drain without sessions says so, and how long load balancers may still send some', (t) => {
  const drain = aDrain({ sessionsLeft: 0, longestCallMs: 0 });
  const { takesStartsUntilEpochMs: untilEpochMs } = drain;
  t.is(
    drainText(drain, untilEpochMs - 5000),
    'draining: no sessions left: exits in 5.0s, when load balancers have noticed',
  );
  t.is(drainText(drain, untilEpochMs), 'draining: no sessions left');
});
