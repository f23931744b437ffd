import test from 'ava';
import { SessionHistory } from '../../daemon/admission/history.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { aSession } from '../ctl/examples.ts';
import { newSessionOf } from '../support/session-builders.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const HOUR_MS = 3_600_000;

function historyOf() {
  const clock = new VirtualClock();
  return { clock, history: new SessionHistory(clock) };
}

const identity = (sessionId: string) => ({ ...newSessionOf('a'), sessionId });
const details = (gapMs = 0) => ({ session: aSession({ gapMs }), params: {}, timeline: [] });

test('ended sessions are listed with outcome, reason and figures, the last one first', (t) => {
  const { history } = historyOf();
  history.add(identity('s-1'), { name: 'completed', reason: 'next-contact', details: details() });
  history.add(identity('s-2'), { name: 'failed', error: { error: 'DeepgramLost: away' }, details: details(1500) });
  history.add(identity('s-3'), { name: 'not-started', error: new KinesisRefused('AccessDenied', 'no', undefined) });
  history.add(identity('s-4'), { name: 'lost' });
  const list = history.list();
  t.deepEqual(
    list.map(({ sessionId, outcome }) => `${sessionId} ${outcome}`),
    ['s-4 failed', 's-3 failed', 's-2 failed', 's-1 completed'],
  );
  t.is(list[3]?.reason, 'next-contact');
  t.like(list[2], { reason: 'DeepgramLost: away', gapMs: 1500 });
  t.regex(list[1]?.reason ?? '', /^did not start: KinesisRefused: .*no/);
  t.is(list[1]?.audioMs, undefined);
  t.deepEqual(history.lastHour(), { ended: 4, failed: 3, gapMs: 1500 });
  t.is(history.find('s-1')?.details?.session.gapMs, 0);
});

test('sessions are forgotten after a day, and the oldest beyond 1,000', async (t) => {
  const { clock, history } = historyOf();
  for (let at = 0; at < 1001; at++) history.add(identity(`s-${at}`), { name: 'completed', reason: 'stopped' });
  t.is(history.list().length, 1000);
  t.is(history.find('s-0'), undefined);
  await clock.advance(HOUR_MS);
  t.is(history.lastHour().ended, 0);
  history.add(identity('late'), { name: 'completed', reason: 'stopped' });
  await clock.advance(23 * HOUR_MS);
  t.deepEqual(
    history.list().map(({ sessionId }) => sessionId),
    ['late'],
  );
});
