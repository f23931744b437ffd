import test from 'ava';
import { ReadSchedule } from '../../daemon/kinesis/read-schedule.ts';
import type { Millis } from '../../daemon/runtime/clock.ts';
import { randomFrom } from '../support/random.ts';

const BLOCK_MS = 64;
/** How much later than its time a block arrives, on clocks that differ by much more than that. */
const DELAY_MS = -1_700_000_000_000 + 123;
const random = randomFrom(1);

/** A block that ends at `endMs` on the producer's clock and arrives at `atMs` on ours. */
interface Arrival {
  readonly endMs: Millis;
  readonly atMs: Millis;
}

interface Read {
  readonly atMs: Millis;
  /** How long each of its blocks has waited. */
  readonly waitsMs: readonly Millis[];
}

/** The blocks of a call, each late by what `lateMs` says. */
function blocks(seconds: number, lateMs: (callMs: Millis) => Millis = () => 0): Arrival[] {
  return Array.from({ length: (seconds * 1000) / BLOCK_MS }, (_, nth) => {
    const callMs = (nth + 1) * BLOCK_MS;
    return { endMs: callMs - DELAY_MS, atMs: callMs + lateMs(callMs) };
  });
}

/** Reads a call by a schedule. A read finds everything that has arrived; where nothing has, it waits for it. */
function readAll(arrivals: readonly Arrival[], load: number, tickMs: Millis = 0): Read[] {
  let nowMs = 0;
  const schedule = new ReadSchedule({ now: () => nowMs, load });
  const waiting = arrivals.toSorted((one, other) => one.atMs - other.atMs);
  const reads: Read[] = [];
  while (waiting[0]) {
    const dueMs = schedule.nextMs();
    const firedMs = dueMs > nowMs && tickMs > 0 ? Math.ceil(dueMs / tickMs) * tickMs : dueMs;
    nowMs = Math.max(firedMs, waiting[0].atMs);
    const next = waiting.findIndex(({ atMs }) => atMs > nowMs);
    const found = waiting.splice(0, next < 0 ? waiting.length : next);
    reads.push({ atMs: nowMs, waitsMs: found.map(({ atMs }) => nowMs - atMs) });
    schedule.brought(found.at(-1)?.endMs ?? 0, BLOCK_MS, nowMs);
  }
  return reads;
}

/** Waits of the blocks read after `fromMs`, the longest last. */
function waitsAfter(reads: readonly Read[], fromMs: Millis): Millis[] {
  const late = reads.filter(({ atMs }) => atMs > fromMs);
  return late.flatMap(({ waitsMs }) => waitsMs).sort((one, other) => one - other);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = (values: readonly number[], limit: number) =>
  values.filter((value) => value > limit).length / values.length;

test('an idle thread reads every block as it arrives', (t) => {
  const reads = readAll(blocks(10), 0);
  t.deepEqual(new Set(reads.flatMap(({ waitsMs }) => waitsMs)), new Set([0]));
});

test('a busy thread reads four blocks at once, just after the last of them', (t) => {
  const reads = readAll(blocks(60), 1);
  const settled = reads.filter(({ atMs }) => atMs > 5000);
  t.true(settled.length <= 55_000 / (4 * BLOCK_MS) + 10, `${settled.length} reads`);
  const lastWaits = settled.map(({ waitsMs }) => waitsMs.at(-1) as Millis);
  t.true(share(lastWaits, 10) < 0.06, 'the last block has just come');
  t.true(mean(waitsAfter(reads, 5000)) < 1.5 * BLOCK_MS + 10);
});

test('a thread that is half busy waits half as long', (t) => {
  const waits = waitsAfter(readAll(blocks(60), 0.5), 5000);
  t.true(mean(waits) < 0.5 * BLOCK_MS + 10, `${mean(waits)} ms`);
  t.true((waits.at(-1) as Millis) <= 3 * BLOCK_MS);
});

for (const [name, lateMs] of [
  ['late by up to 10 ms', () => 10 * random()],
  ['late by up to 10 ms, and one in 50 by 40 ms', () => (random() < 0.02 ? 40 : 10 * random())],
  ['of a clock that is 300 ppm fast', (callMs: Millis) => -0.0003 * callMs],
  ['of a clock that is 300 ppm slow', (callMs: Millis) => 0.0003 * callMs],
] as const) {
  test(`blocks ${name} are read in time, and few reads come too early`, (t) => {
    const waits = waitsAfter(readAll(blocks(600, lateMs), 1, 10), 5000);
    t.true(mean(waits) < 1.5 * BLOCK_MS + 20, `${mean(waits)} ms`);
    t.true(share(waits, 3 * BLOCK_MS + 30) < 0.02, `${share(waits, 3 * BLOCK_MS + 30)} of the blocks`);
    t.true((waits.at(-1) as Millis) <= 280);
  });
}

for (const [name, byMs] of [
  ['forward', 5000],
  ['back', -5000],
] as const) {
  test(`a clock that is set ${name} changes nothing a second later`, (t) => {
    const set = blocks(30).map(({ endMs, atMs }) => ({ endMs: atMs > 15_000 ? endMs + byMs : endMs, atMs }));
    const reads = readAll(set, 1, 10);
    t.true((waitsAfter(reads, 0).at(-1) as Millis) <= 280);
    t.true(mean(waitsAfter(reads, 17_000)) < 1.5 * BLOCK_MS + 20);
  });
}

test('fragments that come whole are read as they arrive', (t) => {
  const FRAGMENT_MS = 16 * BLOCK_MS;
  const whole = blocks(60).map(({ endMs, atMs }) => ({ endMs, atMs: Math.ceil(atMs / FRAGMENT_MS) * FRAGMENT_MS }));
  const reads = readAll(whole, 1, 10);
  t.is(waitsAfter(reads, 0).at(-1), 0);
  t.is(reads.length, Math.ceil(60_000 / FRAGMENT_MS));
});

test('after a pause of the stream, its audio is read as it was before', (t) => {
  const paused = blocks(60).filter(({ atMs }) => atMs < 20_000 || atMs > 30_000);
  const reads = readAll(paused, 1, 10);
  t.true((waitsAfter(reads, 0).at(-1) as Millis) <= 280);
  t.true(mean(waitsAfter(reads, 32_000)) < 1.5 * BLOCK_MS + 20);
});

test('while no block is known, a busy thread reads every 270 ms, and a late read does not shift the next one', (t) => {
  let nowMs = 10_000;
  const schedule = new ReadSchedule({ now: () => nowMs, load: 1 });
  t.is(schedule.nextMs(), 10_000);
  nowMs += 100;
  t.is(schedule.nextMs(), 10_270);
  nowMs = 10_300;
  t.is(schedule.nextMs(), 10_540);
  nowMs = 11_000;
  t.is(schedule.nextMs(), 11_000);
});
