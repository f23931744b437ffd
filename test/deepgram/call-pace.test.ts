import test from 'ava';
import { CallPace } from '../../daemon/deepgram/call-pace.ts';

/** The pace after audio came in steps of [time, call time] in ms. */
function paceAfter(...steps: [ms: number, callMs: number][]): number {
  const pace = new CallPace(0, 0);
  let [nowMs, callMs] = [0, 0];
  for (const [ms, more] of steps) {
    nowMs += ms;
    callMs += more;
    pace.reached(callMs, nowMs);
  }
  return pace.current;
}

const repeated = (count: number, ms: number, callMs: number) =>
  Array.from({ length: count }, (): [number, number] => [ms, callMs]);

test('a call in real time has pace 1, also after a burst', (t) => {
  t.is(paceAfter(...repeated(100, 100, 100)), 1);
  t.is(paceAfter(...repeated(100, 100, 100), [100, 20_000], ...repeated(20, 100, 100)), 1);
});

test('a recording has the pace at which it arrives', (t) => {
  t.true(paceAfter(...repeated(10, 100, 800)) >= 8);
  t.is(paceAfter(...repeated(200, 100, 800)), 8);
});

test('a session that begins behind its call is not taken for a recording', (t) => {
  t.true(paceAfter([100, 10_000], ...repeated(10, 100, 100)) < 1.2);
  t.is(paceAfter([100, 10_000], ...repeated(110, 100, 100)), 1);
});

test('a stall says nothing about the pace', (t) => {
  t.is(paceAfter(...repeated(30, 100, 800), [6000, 800], ...repeated(30, 100, 800)), 8);
  t.is(paceAfter([10_000, 100]), 1);
});
