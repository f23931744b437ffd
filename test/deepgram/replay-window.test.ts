import test from 'ava';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { positionOf } from '../../daemon/deepgram/replay-buffer.ts';
import { BUFFER_BYTES, ReplayWindow } from '../../daemon/deepgram/replay-window.ts';
import { runsOf } from '../support/audio-runs.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Deepgram has read this far, and processed all but the last ms. */
const read = (readTo: number, unprocessedMs = 0) => {
  const unprocessedBytes = positionOf(unprocessedMs);
  return { readTo, unprocessedBytes, heardTo: readTo - unprocessedBytes };
};

const BUFFER_MS = BUFFER_BYTES / BYTES_PER_MS;
const START_MS = 5000;

/** A window of a call that resumed at START_MS and has sent `sentMs` since. */
function windowOf(resultsComeBack: boolean, sentMs: number, unsentMs = 0): ReplayWindow {
  const window = new ReplayWindow(positionOf(START_MS), resultsComeBack, { replayMs: 2000 });
  write(window, sentMs + unsentMs);
  for (let left = sentMs * BYTES_PER_MS; left > 0; ) left -= window.buffer.take(left)?.byteLength ?? left;
  return window;
}

function write({ buffer }: ReplayWindow, ms: number): void {
  for (const run of runsOf(buffer, Buffer.alloc(ms * BYTES_PER_MS), 0)) buffer.commit(run);
}

const keptFromMs = (window: ReplayWindow, confirmedMs: number) =>
  window.keepFrom(read(positionOf(START_MS + confirmedMs))) / BYTES_PER_MS - START_MS;

function finalize(window: ReplayWindow, channel: number, toMs: number): void {
  const message = { type: 'Results', channel_index: [channel, 2], is_final: true, start: 0, duration: toMs / 1000 };
  window.note(message, positionOf(START_MS));
}

test('callback mode keeps the last REPLAY_MS plus 1 s of what was sent, and everything unconfirmed', (t) => {
  const window = windowOf(false, 10_000);
  t.is(keptFromMs(window, 10_000), 7000);
  t.is(keptFromMs(window, 8000), 7000);
  t.is(keptFromMs(window, 6500), 6500);
});

test('results mode keeps what is not final on both channels, and everything unconfirmed', (t) => {
  const window = windowOf(true, 10_000);
  t.is(keptFromMs(window, 10_000), 0);
  finalize(window, 0, 9000);
  t.is(keptFromMs(window, 10_000), 0, 'final on one channel');
  finalize(window, 1, 6000);
  t.is(keptFromMs(window, 10_000), 6000);
  t.is(keptFromMs(window, 5000), 5000);
});

test('without any results, at most half of the buffer is kept', (t) => {
  t.is(keptFromMs(windowOf(true, 20_000), 20_000), 20_000 - BUFFER_MS / 2);
});

test('audio before the resume point, or already forgotten, is never requested again', (t) => {
  const window = windowOf(false, 1000);
  t.is(keptFromMs(window, 1000), 0);
  const later = windowOf(false, 10_000);
  later.advance(read(positionOf(START_MS + 10_000)), 10_000);
  t.is(keptFromMs(later, 0), 7000);
});

test('kept audio begins at a whole ms, whatever Deepgram has confirmed', (t) => {
  const window = windowOf(false, 10_000);
  t.is(window.keepFrom(read(positionOf(START_MS + 7000) + 20)), positionOf(START_MS + 7000));
});

test('a rewind returns to the start of what is kept, and never moves forward', (t) => {
  const window = windowOf(false, 10_000, 5000);
  t.is(window.rewind(read(positionOf(START_MS + 9000))), positionOf(START_MS + 7000));
  t.is(window.buffer.sent, positionOf(START_MS + 7000));
  t.is(window.rewind(read(positionOf(START_MS + 7000))), positionOf(START_MS + 7000));
});

test('a full buffer returns a promise that resolves when there is room again', async (t) => {
  const window = windowOf(false, 0, BUFFER_MS);
  t.is(window.whenRoom(), undefined);
  write(window, 1);
  let hasRoom = false;
  const room = window.whenRoom()?.then(() => {
    hasRoom = true;
  });
  t.truthy(room);
  window.buffer.take(3001 * BYTES_PER_MS);
  window.advance(read(positionOf(START_MS)), 0);
  await new VirtualClock().settle();
  t.false(hasRoom, 'sent, but not confirmed');
  window.advance(read(positionOf(START_MS + 3001)), 3001);
  await room;
  t.is(window.whenRoom(), undefined);
});

test('at most REPLAY_MS of audio is unconfirmed, or 2 s if that is more, including one message', (t) => {
  const unconfirmedMs = (replayMs: number) => new ReplayWindow(0, false, { replayMs }).unconfirmedBytes / BYTES_PER_MS;
  t.is(unconfirmedMs(500), 1750);
  t.is(unconfirmedMs(4000), 3750);
});

test('audio that waits to be processed is kept beyond the buffer, for up to a minute', (t) => {
  const window = windowOf(false, 200_000);
  const keepFrom = (ms: number) => window.keepFrom(read(window.buffer.sent, ms)) / BYTES_PER_MS - START_MS;
  t.is(keepFrom(0), 197_000);
  t.is(keepFrom(41_000), 157_000);
  t.is(keepFrom(200_000), 140_000 - BUFFER_MS / 2);
  // What is not confirmed, for as long as the buffer.
  t.is(keptFromMs(window, 0), 200_000 - BUFFER_MS);
});

test('in callback mode a reconnect also repeats what Deepgram cannot have processed, beyond a second', (t) => {
  const window = new ReplayWindow(0, false, { replayMs: 2000 });
  for (const run of runsOf(window.buffer, Buffer.alloc(positionOf(20_000)), 0)) window.buffer.commit(run);
  while (window.buffer.take(3200));
  const keepFrom = (ms: number) => window.keepFrom(read(positionOf(20_000), ms));
  t.is(keepFrom(0), positionOf(17_000));
  t.is(keepFrom(1000), positionOf(17_000));
  t.is(keepFrom(5000), positionOf(13_000));
  t.is(keepFrom(20_000), 0);
});

test('in callback mode a crash resumes at what Deepgram can have processed, kept here or not', (t) => {
  const window = windowOf(false, 200_000);
  window.allowReadingAgain();
  const { sent } = window.buffer;
  const safeMs = (unprocessedMs: number) => window.safeTo(read(sent, unprocessedMs)) / BYTES_PER_MS - START_MS;
  t.is(safeMs(199_500), 0);
  window.advance(read(sent, 196_000), 5000);
  t.is(safeMs(196_000), 2000);
  t.true(window.hasOutgrown(read(sent, 196_000)));
  t.is(safeMs(150_000), 48_000);
  t.is(safeMs(170_000), 48_000, 'it never decreases');
  t.is(window.safeTo(undefined) / BYTES_PER_MS - START_MS, 48_000);
  t.is(safeMs(50_000), 148_000);
  t.is(safeMs(0), 197_000);
});

test('what is kept has not outgrown the buffer, also of a connection that has read less than the one before', (t) => {
  const window = windowOf(false, 20_000);
  window.allowReadingAgain();
  window.advance(read(window.buffer.sent), 20_000);
  t.false(window.hasOutgrown(read(positionOf(START_MS + 18_000), 5000)));
});

test('what is read again anyway is not kept here too', (t) => {
  const window = windowOf(false, 200_000);
  window.allowReadingAgain();
  const { sent, heldBytes } = window.buffer;
  t.is(heldBytes, positionOf(200_000));
  window.advance(read(sent, 180_000), 20_000);
  t.is(window.buffer.heldBytes, BUFFER_BYTES / 2);
  t.true(window.hasOutgrown(read(sent, 180_000)));
  t.false(window.hasOutgrown(read(sent, 10_000)));
});
