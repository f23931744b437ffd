import test from 'ava';
import { Pacer, REALTIME_MESSAGE_MS } from '../../daemon/audio/pacer.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

test('messages of 64 ms leave 64 ms apart, however fast they come', async (t) => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const { signal } = new AbortController();
  const startMs = clock.now();
  const leftAtMs: number[] = [];
  const sending = (async () => {
    for (let message = 0; message < 4; message++) {
      await pacer.turn(REALTIME_MESSAGE_MS, signal);
      leftAtMs.push(clock.now() - startMs);
    }
  })();
  await clock.advance(1000);
  await sending;
  t.deepEqual(leftAtMs, [0, 64, 128, 192]);
});

test('audio that comes slower than it lasts does not wait', async (t) => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const { signal } = new AbortController();
  for (let message = 0; message < 3; message++) {
    await pacer.turn(REALTIME_MESSAGE_MS, signal);
    t.is(clock.pending, 0);
    await clock.advance(100);
  }
});

test('when the signal aborts, what waits leaves at once, and so does all that follows', async (t) => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const stop = new AbortController();
  await pacer.turn(REALTIME_MESSAGE_MS, stop.signal);
  const waiting = pacer.turn(REALTIME_MESSAGE_MS, stop.signal);
  t.is(clock.pending, 1);
  stop.abort();
  await waiting;
  await pacer.turn(REALTIME_MESSAGE_MS, stop.signal);
  t.is(clock.pending, 0);
});
