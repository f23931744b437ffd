import test from 'ava';
import { LiveEdge } from '../../daemon/audio/live-edge.ts';

const BLOCK_MS = 64;
/** When the call began, on our clock. */
const BEGAN_AT_MS = 123_456;

/** A call whose producer's clock is unrelated to ours; the test decides when its process reads. */
class ReadCall {
  readonly edge = new LiveEdge();
  callMs = 0;
  /** Lags of the blocks since the edge settled, and how late they were in truth. */
  readonly #lags: [lagMs: number, trueMs: number][] = [];

  /** Reads all that was on the stream at `atMs` of the call; each block is handed over at once. */
  readAll(atMs: number): void {
    const from = this.callMs;
    this.callMs = Math.floor(atMs / BLOCK_MS) * BLOCK_MS;
    if (this.callMs === from) return;
    this.edge.arrived(this.callMs, BEGAN_AT_MS + atMs);
    for (let callMs = from + BLOCK_MS; callMs <= this.callMs; callMs += BLOCK_MS) {
      if (this.edge.isSettled) this.#lags.push([this.edge.lagMs(callMs, BEGAN_AT_MS + atMs), atMs - callMs]);
    }
  }

  /** The largest lag, and the largest error of any lag. */
  figures(): { worstMs: number; errorMs: number } {
    return {
      worstMs: Math.max(...this.#lags.map(([lagMs]) => lagMs)),
      errorMs: Math.max(...this.#lags.map(([lagMs, trueMs]) => Math.abs(lagMs - trueMs))),
    };
  }
}

test('reads that gather audio make it late, by the edge of the blocks that were not gathered', (t) => {
  const call = new ReadCall();
  for (let atMs = 0; atMs < 60_000; atMs += 206) call.readAll(atMs);
  const { worstMs, errorMs } = call.figures();
  t.true(worstMs > 200 && worstMs < 270, String(worstMs));
  t.true(errorMs < 10, String(errorMs));
});

test('a process that stalls for 4 s shows a lag of 4 s, then none', (t) => {
  const call = new ReadCall();
  for (let atMs = 0; atMs < 10_000; atMs += 64) call.readAll(atMs);
  call.readAll(14_000);
  t.true(call.figures().worstMs > 3900);
  for (let atMs = 14_016; atMs < 20_000; atMs += 64) call.readAll(atMs);
  t.true(call.edge.lagMs(call.callMs, 123_456 + 19_968) < 64);
});

test('a process that is frozen for 900 ms of every second, from the start, shows up to 900 ms', (t) => {
  const call = new ReadCall();
  for (let second = 1; second < 60; second++) {
    for (let ms = 900; ms < 1000; ms += 10) call.readAll(second * 1000 + ms - 900);
  }
  const { worstMs, errorMs } = call.figures();
  t.true(worstMs > 880 && worstMs < 1000, String(worstMs));
  t.true(errorMs < 64, String(errorMs));
});

test('a reader that begins 10 s behind is not at the edge before it has caught up; then it is known how late it was', (t) => {
  const edge = new LiveEdge();
  // 1 s of the call each 100 ms, of a call that began 10 s ago.
  for (let read = 1; read <= 11; read++) {
    edge.arrived(read * 1000, 10_000 + read * 100);
    t.false(edge.isSettled);
  }
  for (let atMs = 11_200; atMs < 14_000; atMs += 100) edge.arrived(atMs - 100, atMs);
  t.true(edge.isSettled);
  t.true(Math.abs(edge.lagMs(64, 10_100) - (10_100 - 64 - 100)) < 10);
});

for (const ppm of [-300, 300]) {
  test(`clocks that are ${ppm} ppm apart add no lag in 3 h`, (t) => {
    const edge = new LiveEdge();
    let worstMs = 0;
    for (let callMs = 0; callMs < 3 * 3_600_000; callMs += 200) {
      const atMs = 5_000_000 + callMs * (1 + ppm / 1e6) + ((callMs / 200) % 7) * 10;
      edge.arrived(callMs, atMs);
      if (callMs > 10_000) worstMs = Math.max(worstMs, edge.lagMs(callMs, atMs));
    }
    t.true(worstMs < 62, String(worstMs));
  });
}

test('a lag that lasts does not become the edge: after ten minutes 10 s are still more than 9.6 s', (t) => {
  const edge = new LiveEdge();
  for (let atMs = 0; atMs < 10_000; atMs += 100) edge.arrived(atMs, atMs);
  for (let atMs = 20_000; atMs < 620_000; atMs += 100) edge.arrived(atMs - 10_000, atMs);
  t.true(edge.lagMs(610_000, 620_000) > 9600);
});

test('after a pause of streaming the edge starts over, and audio that is paced is late only after its turn', (t) => {
  const edge = new LiveEdge();
  t.is(edge.lagMs(0, 5), 0);
  edge.arrived(1000, 1000);
  edge.restart();
  edge.arrived(2000, 62_000);
  t.is(edge.lagMs(2000, 62_000), 0);
  edge.paced(3000, 90_000);
  t.true(edge.isSettled);
  t.is(edge.lagMs(3000, 90_000), 0);
  t.true(Math.abs(edge.lagMs(3000, 90_500) - 500) < 1);
});
