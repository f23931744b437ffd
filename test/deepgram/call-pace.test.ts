import test from 'ava';
import { CallPace } from '../../daemon/deepgram/call-pace.ts';

type Step = [ms: number, callMs: number] | 'held back';

/** Whether a call counts as a recording after audio came in steps of [time, call time] in ms. */
function isRecording(isLive: boolean, ...steps: Step[]): boolean {
  const pace = new CallPace(isLive);
  let [nowMs, callMs] = [0, 0];
  for (const step of steps) {
    if (step === 'held back') {
      pace.heldBack();
      continue;
    }
    nowMs += step[0];
    callMs += step[1];
    pace.reached(callMs, nowMs);
  }
  return pace.isRecording;
}

const repeated = (count: number, ms: number, callMs: number) =>
  Array.from({ length: count }, (): [number, number] => [ms, callMs]);

const RECORDING = repeated(30, 100, 800);

test('a recording shows after two and a half seconds, in blocks and in fragments of a second', (t) => {
  t.false(isRecording(false, ...repeated(20, 100, 800)));
  t.true(isRecording(false, ...RECORDING));
  for (const ms of [125, 250, 333]) t.true(isRecording(false, ...repeated(30, ms, 1000)), `every ${ms} ms`);
});

test('a call in real time is no recording, in blocks and in fragments, nor after a burst', (t) => {
  t.false(isRecording(false, ...repeated(100, 100, 100)));
  t.false(isRecording(false, ...repeated(20, 1000, 1000)));
  t.false(isRecording(false, ...repeated(20, 1900, 2000)));
  t.false(isRecording(false, ...repeated(30, 100, 100), ...RECORDING, ...RECORDING));
});

test('a call that began long before its session is no recording, however long its backlog takes to read', (t) => {
  for (const seconds of [0.1, 0.4, 0.6, 1, 3, 10]) {
    const backlog = repeated(seconds * 100, 10, 240_000 / (seconds * 100));
    t.false(isRecording(false, ...backlog), `${seconds} s`);
    t.false(isRecording(false, ...backlog, ...repeated(100, 100, 100)), `${seconds} s, and live`);
  }
});

test('a call that waits for Deepgram is no recording, unless it was one before', (t) => {
  t.false(isRecording(false, ...repeated(10, 100, 800), 'held back', ...RECORDING));
  t.true(isRecording(false, ...RECORDING, 'held back', ...RECORDING));
});

test('a call whose start says when it began is in real time', (t) => {
  t.false(isRecording(true, ...RECORDING));
});

test('neither a stall nor what is read again says anything about the pace', (t) => {
  t.true(isRecording(false, ...RECORDING, [6000, 800], ...RECORDING));
  t.false(isRecording(false, [10_000, 100], [10_000, 100]));
  t.true(isRecording(false, ...RECORDING, [100, -20_000], ...repeated(20, 10, 1000), ...RECORDING));
});
