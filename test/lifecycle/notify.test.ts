import test from 'ava';
import { createNotifier } from '../../daemon/lifecycle/notify.ts';
import type { Message } from '../../daemon/lifecycle/systemd-notify.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A notifier whose messages stay in flight until the test calls `finish`. */
function stage(env: Record<string, string> = {}) {
  const clock = new VirtualClock();
  const recorded = recordedLog();
  const sent: string[] = [];
  const dones: ((error?: Error) => void)[] = [];
  const send = (message: Message, done: (error: Error | undefined) => void) => {
    sent.push(message.map((assignment) => assignment.join('=')).join('|'));
    dones.push((error) => done(error));
  };
  const notifier = createNotifier({ NOTIFY_SOCKET: '/run/notify', ...env }, { clock, log: recorded.log, send });
  const finish = (error?: Error) => dones.shift()?.(error);
  const events = () => recorded.lines.map(({ event }) => event);
  return { clock, notifier, sent, finish, events };
}

const WATCHDOG = { WATCHDOG_USEC: '30000000' };

test('states are sent as the variables of sd_notify', (t) => {
  const { notifier, sent, finish } = stage();
  for (const notify of [
    () => notifier.ready(),
    () => notifier.status('2 calls'),
    () => notifier.extendTimeout(1500.4),
    () => notifier.stopping(),
  ]) {
    notify();
    finish();
  }
  t.deepEqual(sent, ['READY=1', 'STATUS=2 calls', 'EXTEND_TIMEOUT_USEC=1500400', 'STOPPING=1']);
});

test('while a message is in flight, only the latest values are kept for the next', (t) => {
  const { notifier, sent, finish } = stage();
  notifier.ready();
  for (let calls = 1000; calls >= 0; calls--) notifier.status(`${calls} calls`);
  notifier.extendTimeout(1000);
  notifier.extendTimeout(2000);
  t.deepEqual(sent, ['READY=1']);
  finish();
  t.deepEqual(sent.slice(1), ['STATUS=0 calls|EXTEND_TIMEOUT_USEC=2000000']);
});

test('a status is one short line, whatever it contains', (t) => {
  const { notifier, sent } = stage();
  notifier.status(`drains\nWATCHDOG=trigger\u001b[31m ${'x'.repeat(5000)}`);
  t.true(sent[0]?.startsWith('STATUS=drains WATCHDOG=trigger [31m xxx'));
  t.true((sent[0]?.length ?? 0) < 300);
});

test('the watchdog is pinged at once and then at a third of its time', (t) => {
  const { clock, notifier, sent, finish } = stage(WATCHDOG);
  notifier.startWatchdog();
  finish();
  t.deepEqual(sent, ['WATCHDOG=1']);
  clock.forward(9999);
  t.is(sent.length, 1);
  clock.forward(1);
  finish();
  clock.forward(10_000);
  t.deepEqual(sent, ['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
});

for (const [why, env] of [
  ['the unit has none', {}],
  ['it watches another process', { ...WATCHDOG, WATCHDOG_PID: '1' }],
] as const) {
  test(`no watchdog is pinged when ${why}`, (t) => {
    const { clock, notifier, sent } = stage(env);
    notifier.startWatchdog();
    clock.forward(60_000);
    t.deepEqual(sent, []);
  });
}

test('a message that was lost is sent again after a second, and the failure is logged once', (t) => {
  const { clock, notifier, sent, finish, events } = stage();
  notifier.ready();
  notifier.status('1 call');
  for (let failures = 0; failures < 3; failures++) {
    finish(new Error('exit code 1'));
    clock.forward(999);
    t.is(sent.length, failures + 1);
    clock.forward(1);
  }
  t.deepEqual(events(), ['notify.failing']);
  t.deepEqual(sent[3]?.split('|').sort(), ['READY=1', 'STATUS=1 call']);
  finish();
  t.deepEqual(events(), ['notify.failing', 'notify.recovered']);
  clock.forward(60_000);
  t.is(sent.length, 4);
});

test('a lost message does not overwrite a newer value', (t) => {
  const { clock, notifier, sent, finish } = stage();
  notifier.status('1 call');
  notifier.status('2 calls');
  finish(new Error('exit code 1'));
  clock.forward(1000);
  t.deepEqual(sent, ['STATUS=1 call', 'STATUS=2 calls']);
});

test('without systemd nothing happens', (t) => {
  const { clock, notifier, sent, events } = stage({ ...WATCHDOG, NOTIFY_SOCKET: '' });
  notifier.ready();
  notifier.status('1 call');
  notifier.extendTimeout(1000);
  notifier.startWatchdog();
  notifier.stopping();
  clock.forward(60_000);
  t.deepEqual([...sent, ...events()], []);
});
