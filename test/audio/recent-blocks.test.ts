import test from 'ava';
import fc from 'fast-check';
import { RecentBlocks } from '../../daemon/audio/recent-blocks.ts';

const BLOCK_MS = 64;
/** A minute of blocks. */
const KEPT_BLOCKS = 960;
/** From here on a clock was set. */
const FAR_MS = 0x8000;

interface Block {
  readonly timeMs: number;
  readonly fingerprint: number;
}

/** Blocks each so much later than the one before, each with a fingerprint of its own. */
function blocksAfter(gapsMs: readonly number[]): Block[] {
  let timeMs = 0;
  return [0, ...gapsMs].map((gapMs, nth) => {
    timeMs += gapMs;
    return { timeMs, fingerprint: Math.imul(nth + 1, 0x9e3779b1) };
  });
}

function noted(blocks: readonly Block[]): RecentBlocks {
  const recent = new RecentBlocks();
  for (const { timeMs, fingerprint } of blocks) recent.note(timeMs, fingerprint);
  return recent;
}

/** Where the blocks begin that a search from the end can reach: a minute back, and not beyond a clock that was set. */
function reachedFrom(blocks: readonly Block[]): number {
  let nth = blocks.length - 1;
  const oldest = Math.max(0, blocks.length - KEPT_BLOCKS);
  const gapMs = (at: number) => (blocks[at] as Block).timeMs - (blocks[at - 1] as Block).timeMs;
  while (nth > oldest && Math.abs(gapMs(nth)) < FAR_MS) nth--;
  return nth;
}

const exact = fc.constant(BLOCK_MS);
const inexact = fc.oneof(exact, fc.integer({ min: -60, max: 180 }));
const set = fc.oneof({ weight: 20, arbitrary: inexact }, fc.constantFrom(FAR_MS, -FAR_MS, 5 * FAR_MS));

for (const [name, gapMs] of [
  ['exact', exact],
  ['inexact', inexact],
  ['inexact, and the clock is set', set],
] as const) {
  test(`blocks that come again are recognized, and no others: times are ${name}`, (t) => {
    const gaps = fc.array(gapMs, { minLength: 1, maxLength: 1100, size: 'max' });
    fc.assert(
      fc.property(gaps, fc.nat(), fc.integer({ min: 1, max: 50 }), (gapsMs, pick, count) => {
        const blocks = blocksAfter(gapsMs);
        const nth = pick % blocks.length;
        const recent = noted(blocks);
        const first = blocks[nth] as Block;
        t.false(recent.beginsRepetition(first.timeMs, first.fingerprint ^ 1));
        const isKnown = nth >= reachedFrom(blocks);
        const isFound = recent.beginsRepetition(first.timeMs, first.fingerprint);
        // Of blocks that are shorter on average, more are kept.
        if (isKnown || name === 'exact') t.is(isFound, isKnown);
        for (const { timeMs, fingerprint } of isKnown ? blocks.slice(nth + 1, nth + count) : []) {
          t.true(recent.continuesRepetition(timeMs, fingerprint));
        }
        const last = recent.last(2);
        t.deepEqual(
          last,
          blocks.slice(-last.length).map(({ timeMs, fingerprint }) => [timeMs, fingerprint]),
        );
      }),
      { numRuns: 60 },
    );
  });
}
