import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';

/** What takes longest starts first, so that nobody waits for it at the end. Most of it is waiting. */
const FIRST = ['system/long-call', 'demo/demo', 'system/metrics', 'bench/bench'];

/** The rest is shuffled, the same way every time: files of one folder are busy at the same moments of their run. */
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
  // Tests of processes wait more than they compute.
  concurrency: 2 * availableParallelism(),
  sortTestFiles: (one, other) => (rank(one) < rank(other) ? -1 : 1),
};
