import test from 'ava';
import { Timeline } from '../../daemon/session/session-log.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function timelineOf(entries: number): Timeline {
  const timeline = new Timeline(recordedLog().log, new VirtualClock(), {});
  for (let at = 0; at < entries; at++) timeline.info({ event: `event-${at}` }, 'something happened');
  return timeline;
}

test('a timeline keeps how the session began and what happened last, and says how much it omits', (t) => {
  const events = timelineOf(1000).entries.map(({ event }) => event);
  t.is(events.length, 201);
  t.deepEqual(events.slice(0, 2), ['event-0', 'event-1']);
  t.deepEqual(events.slice(19, 22), ['event-19', 'omitted', 'event-820']);
  t.is(events.at(-1), 'event-999');
  t.is(timelineOf(1000).entries[20]?.['entries'], 800);
});

test('a timeline that fits omits nothing', (t) => {
  const events = timelineOf(200).entries.map(({ event }) => event);
  t.deepEqual(
    events,
    Array.from({ length: 200 }, (_, at) => `event-${at}`),
  );
});
