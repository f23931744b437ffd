import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';

/** The slowest files start first, so that none is left running at the end. They mostly wait. */
const FIRST = ['system/long-call', 'demo/demo', 'system/metrics', 'bench/bench'];

/** The rest is shuffled, the same way every time, because files of one folder tend to be busy at the same moments. */
function rank(path) {
  const first = FIRST.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  return first >= 0
    ? String(first)
    : createHash('sha1')
        .update(path.replace(/^.*\/test\//, ''))
        .digest('hex')
        .padStart(41, '~');
}

// biome-ignore lint/style/noDefaultExport: ava reads it.
export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '2m',
  // Tests that start processes wait more than they compute.
  concurrency: 2 * availableParallelism(),
  sortTestFiles: (one, other) => (rank(one) < rank(other) ? -1 : 1),
};
