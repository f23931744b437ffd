import test from 'ava';
import { LagMeter } from '../../daemon/deepgram/lag-meter.ts';

const BLOCK_MS = 64;

/** A meter of a call that comes `pace` times as fast as real time and is handed over `lateMs` after it comes. */
function recorded({
  pace = 1,
  lateMs = 0,
  behindMs = 0,
  startedAtMs,
}: Partial<Record<'pace' | 'lateMs' | 'behindMs' | 'startedAtMs', number>>) {
  const noted: number[] = [];
  const meter = new LagMeter(0, { observe: (ms) => noted.push(ms) }, startedAtMs);
  for (let callMs = BLOCK_MS; callMs <= 40 * 1000; callMs += BLOCK_MS) {
    // What was there before the reader came is read at once.
    const atMs = Math.max(behindMs, callMs / pace);
    meter.edge.arrived(callMs, atMs);
    meter.handedOver(callMs, atMs + lateMs);
  }
  meter.settle();
  return { meter, noted, worstMs: meter.worstMs };
}

test('a recording that comes faster than real time is not late, when its start is known', (t) => {
  t.is(recorded({ pace: 20, startedAtMs: 0 }).worstMs, 0);
});

test('a reader that begins behind its call says how late the beginning was', (t) => {
  const { worstMs } = recorded({ behindMs: 10_000, startedAtMs: 0 });
  t.true(worstMs > 9800 && worstMs <= 10_000, `${worstMs}`);
  const unknown = recorded({ behindMs: 10_000 });
  t.true(unknown.worstMs > 9800, 'also when the start is not known');
});

test('once the edge is known, the start bounds nothing: clocks differ', (t) => {
  const { noted } = recorded({ lateMs: 300, startedAtMs: 1_000_000 });
  t.true((noted.at(-1) ?? 0) >= 299);
});
