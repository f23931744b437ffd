import test from 'ava';
import { reportTo } from '../../daemon/lifecycle/report.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function stage() {
  const clock = new VirtualClock();
  const notified: string[] = [];
  const drain = { isDraining: false };
  const sessions = {
    size: 0,
    admission: { maxSessions: 500, drain, healthStatus: () => (drain.isDraining ? 'draining' : undefined) },
  };
  const notifier = {
    status: (text: string) => notified.push(text),
    extendTimeout: (ms: number) => notified.push(`${ms} ms more`),
  };
  reportTo(notifier, sessions, clock);
  return { clock, notified, sessions, drain };
}

test('systemctl status shows the sessions, at most 10 s old, and only changes are sent', (t) => {
  const { clock, notified, sessions } = stage();
  t.deepEqual(notified, ['serving, 0 of 500 sessions']);
  sessions.size = 3;
  clock.forward(9999);
  t.is(notified.length, 1);
  clock.forward(1);
  clock.forward(60_000);
  t.deepEqual(notified.slice(1), ['serving, 3 of 500 sessions']);
});

test('a drain asks systemd for another minute every 10 s', (t) => {
  const { clock, notified, drain } = stage();
  drain.isDraining = true;
  clock.forward(20_000);
  t.deepEqual(notified.slice(1), ['draining, 0 of 500 sessions', '60000 ms more', '60000 ms more']);
});
