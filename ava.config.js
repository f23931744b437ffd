import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';

/** The files that take longest, from the longest on. They mostly wait. */
const LONGEST = [
  'system/relayed-call',
  'cdk/stack',
  'system/workers',
  'system/long-call',
  'system/metrics',
  'demo/demo',
  'control/behaviour',
  'system/faults',
  'system/proxy',
  'system/drained-results',
  'system/slow-deepgram',
  'system/crash',
  'system/lag',
  'ctl/offline',
  'ctl/failures',
  'release/bundle',
];
/** Tests of the tools that build and measure, for `npm run test:tools`: whole builds, benchmarks and load runs. */
const TOOLS = ['bench/bench', 'load/load', 'release/release'].map((name) => `test/${name}.test.ts`);
const FILES = {
  all: ['test/**/*.test.ts'],
  tools: TOOLS,
  product: ['test/**/*.test.ts', ...TOOLS.map((file) => `!${file}`)],
};
/** None of them starts in the last part of a run, where it would be left running alone. */
const LAST_START = 0.7;
const HASH_RANGE = 2 ** 32;

/**
 * When a file starts, from 0 to 1. The longest are spread, so that others keep the processors busy while they wait. The
 * rest is shuffled, the same way every time, because files of one folder tend to be busy at the same moments.
 */
function rank(path) {
  const nth = LONGEST.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  if (nth >= 0) return (nth / LONGEST.length) * LAST_START;
  const hash = createHash('sha1').update(path.replace(/^.*\/test\//, ''));
  return hash.digest().readUInt32BE() / HASH_RANGE;
}

// Each file's thread begins with a young generation that its imports fill only once: fewer collections.
setFlagsFromString('--min-semi-space-size=16');

// biome-ignore lint/style/noDefaultExport: ava reads it.
export default {
  files: FILES[process.env.TEST_FILES ?? 'all'],
  extensions: ['ts'],
  timeout: '2m',
  // Tests that start processes wait more than they compute.
  concurrency: Math.round(2.5 * availableParallelism()),
  sortTestFiles: (one, other) => rank(one) - rank(other),
};
