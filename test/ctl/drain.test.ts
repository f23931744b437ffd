import test from 'ava';
import { CtlProcess, ctl } from './ctl-process.ts';
import { aDrain } from './examples.ts';
import { fakeFor } from './fake-for.ts';
import { atDesk, deskClock } from './terminal.ts';

const DRAIN = aDrain();
const PAST_EPOCH_MS = 1;

test('drain tells what is left, a line per change off a terminal, and exits with 0 when the daemon is drained', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  await daemon.hasBeenAsked('GET /v1/drain', 4);
  daemon.drain = { ...DRAIN, sessionsLeft: 1, longestCallMs: 725_000 };
  await drain.says('stdout', /1 session left/);
  daemon.drain = { ...DRAIN, sessionsLeft: 0, longestCallMs: 0, state: 'drained' };
  t.deepEqual(await drain.ended, {
    code: 0,
    stderr: '',
    stdout: [
      'draining: 3 sessions left, longest call 12m04s, no deadline',
      'draining: 1 session left, longest call 12m05s, no deadline',
      'drained: no session is left\n',
    ].join('\n'),
  });
  t.deepEqual(daemon.bodiesOf('POST /v1/drain'), [{}]);
});

test('drain --json keeps its progress out of the data', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--json', '--socket', daemon.socketPath]);
  await drain.says('stderr', /^draining: 3 sessions left/);
  daemon.drain = { ...DRAIN, sessionsLeft: 0, state: 'drained' };
  const { code, stdout } = await drain.ended;
  t.is(code, 0);
  t.deepEqual(JSON.parse(stdout), { apiVersion: 1, drain: daemon.drain });
});

test('the deadline, no deadline and the reason reach the daemon; --detach does not wait', async (t) => {
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

test('Ctrl-C detaches from the drain, which goes on, and says how to come back', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  drain.child.kill('SIGINT');
  const { code, stderr } = await drain.ended;
  t.is(code, 130);
  t.regex(stderr, /^integratorctl: detached, the drain goes on; `integratorctl drain` attaches again, .*--cancel.*\n$/);
  t.deepEqual(daemon.bodiesOf('DELETE /v1/drain'), []);
});

test('drain again attaches to the drain as it is', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = { ...DRAIN, source: 'lifecycle', reason: 'scale-in' };
  const drain = new CtlProcess(['drain', '--reason', 'mine', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  daemon.drain = { ...DRAIN, sessionsLeft: 0, state: 'drained' };
  const { code, stderr } = await drain.ended;
  t.is(code, 0);
  t.regex(stderr, /^integratorctl: attached to the drain .* \(lifecycle: scale-in\); its reason stays as it is\n$/);
  t.deepEqual(daemon.bodiesOf('POST /v1/drain'), []);
});

test('drain again with a deadline gives the drain that deadline', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = DRAIN;
  t.is((await ctl(['drain', '--deadline', '10m', '--detach', '--socket', daemon.socketPath])).code, 0);
  t.deepEqual(daemon.bodiesOf('POST /v1/drain'), [{ deadlineMs: 600_000 }]);
});

test('drain exits with 5 when the deadline ended sessions', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = { ...DRAIN, sessionsLeft: 2, state: 'ending-rest', deadlineAtEpochMs: PAST_EPOCH_MS };
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /the deadline has passed, ending the rest: 2 sessions left/);
  daemon.drain = { ...daemon.drain, sessionsLeft: 0, state: 'drained' };
  const { code, stdout, stderr } = await drain.ended;
  t.is(code, 5);
  t.regex(stdout, /^drained: no session is left$/m);
  t.regex(
    stderr,
    /^integratorctl: the deadline passed and 2 sessions were ended by it; see: journalctl -u integratord$/m,
  );
});

test('drain exits with 5 also when the daemon ended the rest and went away between two looks', async (t) => {
  const daemon = await fakeFor(t);
  daemon.drain = { ...DRAIN, sessionsLeft: 1, deadlineAtEpochMs: PAST_EPOCH_MS };
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /1 session left/);
  await daemon.leave();
  t.is((await drain.ended).code, 5);
});

test('a daemon that goes away with its socket has drained', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  await daemon.leave();
  const { code, stdout } = await drain.ended;
  t.is(code, 0);
  t.regex(stdout, /^drained: no session is left$/m);
});

test('a daemon that is killed while it drains has not drained', async (t) => {
  const daemon = await fakeFor(t, { killable: true });
  const clock = deskClock((nth) => (nth === 1 ? daemon.leave() : undefined));
  const startedMs = clock.now();
  const { code, stderr } = await atDesk(['drain'], { socketPath: daemon.socketPath, clock });
  t.is(code, 1);
  t.regex(stderr.text, /the daemon has died before it was drained; see: journalctl -u integratord/);
  const waitedMs = clock.now() - startedMs;
  t.true(waitedMs > 2000 && waitedMs < 4000, `${waitedMs} ms`);
});

test('drain ends when somebody else cancels the drain', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  daemon.drain = undefined;
  const { code, stderr } = await drain.ended;
  t.is(code, 1);
  t.regex(stderr, /over before its end: it was cancelled, or the daemon was started anew; see: integratorctl status/);
});

test("drain --cancel calls off an operator's drain only", async (t) => {
  const daemon = await fakeFor(t);
  const cancel = () => ctl(['drain', '--cancel', '--socket', daemon.socketPath]);
  t.is((await cancel()).code, 1, 'there is none');
  daemon.drain = DRAIN;
  t.like(await cancel(), { code: 0, stdout: 'the drain is called off; the daemon is serving\n' });
  daemon.drain = { ...DRAIN, source: 'spot' };
  t.like(await cancel(), { code: 6, stdout: '' });
});

test('drain detaches when nobody reads its progress any more', async (t) => {
  const daemon = await fakeFor(t);
  const drain = new CtlProcess(['drain', '--socket', daemon.socketPath]);
  await drain.says('stdout', /3 sessions left/);
  drain.stopReading();
  daemon.drain = { ...DRAIN, sessionsLeft: 2 };
  const { code, stderr } = await drain.ended;
  t.is(code, 130);
  t.regex(stderr, /^integratorctl: detached, the drain goes on/);
});
