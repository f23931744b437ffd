import test from 'ava';
import { SEED_OF_THE_TESTS, seedFrom } from './seed.ts';
import { report, TARGETS } from './targets.ts';

/** For all targets together; `npm run fuzz` tries more. */
const INPUTS = 2500;
/** Changes of bytes are many and fast. */
const MOST_OF_A_TARGET = 10_000;

for (const [name, { share, run }] of Object.entries(TARGETS)) {
  test(`hostile bytes do no harm: ${name}`, async (t) => {
    const finding = await run(
      seedFrom(process.env, SEED_OF_THE_TESTS),
      Math.min(MOST_OF_A_TARGET, Math.round(share * INPUTS)),
      () => {},
    );
    t.is(finding && report(finding), undefined);
  });
}
