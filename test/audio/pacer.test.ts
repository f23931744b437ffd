import test from 'ava';
import { Pacer, REALTIME_MESSAGE_MS } from '../../daemon/audio/pacer.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

test('messages of 64 ms are sent 64 ms apart, however fast they arrive', async (t) => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const { signal } = new AbortController();
  const startMs = clock.now();
  const sentAtMs: number[] = [];
  const sending = (async () => {
    for (let message = 0; message < 4; message++) {
      await pacer.turn(REALTIME_MESSAGE_MS, signal);
      sentAtMs.push(clock.now() - startMs);
    }
  })();
  await clock.advance(1000);
  await sending;
  t.deepEqual(sentAtMs, [0, 64, 128, 192]);
});

test('audio slower than real time does not wait', async (t) => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock);
  const { signal } = new AbortController();
  for (let message = 0; message < 3; message++) {
    await pacer.turn(REALTIME_MESSAGE_MS, signal);
    t.is(clock.pending, 0);
    await clock.advance(100);
  }
});

test('after an abort, waiting and later audio is sent at once', async (t) => {
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
