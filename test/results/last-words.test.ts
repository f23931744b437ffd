import test from 'ava';
import type { Word } from '../../daemon/contract/events.ts';
import { LastWords } from '../../daemon/results/last-words.ts';

/** Words of 200 ms, one every `everyMs`. */
function words(count: number, fromMs: number, everyMs: number): Word[] {
  return Array.from({ length: count }, (_, index) => {
    const startMs = fromMs + index * everyMs;
    return { text: `word ${startMs}`, startMs, endMs: startMs + 200, confidence: 0.9 };
  });
}

function after(...finals: readonly Word[][]): number[] {
  const last = new LastWords([]);
  for (const final of finals) last.add(final);
  return last.words.map(({ startMs }) => startMs);
}

test('the last words are those that end within 3 s of the last one, at most ten, over any number of finals', (t) => {
  t.deepEqual(after(), []);
  t.deepEqual(after(words(2, 0, 300)), [0, 300]);
  t.deepEqual(after(words(2, 0, 300), words(1, 600, 300)), [0, 300, 600]);
  t.deepEqual(after(words(2, 0, 300), []), [0, 300]);
  t.deepEqual(after(words(2, 0, 300), words(1, 3300, 300)), [300, 3300]);
  t.deepEqual(after(words(6, 0, 100), words(6, 600, 100)), [200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100]);
  t.deepEqual(after(words(3, 0, 100), words(11, 300, 100)), [400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300]);
  t.deepEqual(after(words(2, 0, 300), words(3, 5000, 2000)), [7000, 9000]);
});
