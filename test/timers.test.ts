import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import test from 'ava';

/** Every way to wait that a test cannot control (daemon/README.md, decision 13). `setImmediate` waits for no time. */
const REAL_TIMERS = /\bsetTimeout\b|\bsetInterval\b|\btimers\/promises\b|\bAbortSignal\.timeout\b/g;
/** `import { setImmediate … } from 'node:timers/promises'`, and of a value of nothing else. */
const ONLY_SET_IMMEDIATE = /^import \{ setImmediate(?: as \w+)? \} from 'node:timers\/promises';$/gm;
/** A line of a comment. */
const COMMENT = /^\s*(?:\/\/|\/?\*).*$/gm;

/** Where a real timer is right. */
const EXCEPTIONS: readonly { readonly files: RegExp; readonly uses: RegExp; readonly reason: string }[] = [
  {
    files: /^daemon\/runtime\/clock\.ts$/,
    uses: REAL_TIMERS,
    reason: 'systemClock is made of them',
  },
  {
    files: /^daemon\/control\/page\/[\w-]+\.js$/,
    uses: REAL_TIMERS,
    reason: 'the status page runs in a browser',
  },
  {
    files: /^daemon\/kinesis\/http\/media-transport\.ts$/,
    uses: /\bsocket\.setTimeout\(/g,
    reason: 'the time-out of a connection belongs to the socket, and ends with it',
  },
];

const sources = await readSources();

test('everything that waits waits by a Clock', (t) => {
  const offenses = [...sources].flatMap(([file, text]) => [
    ...withoutExceptions(file, text)
      .matchAll(REAL_TIMERS)
      .map(([use]) => `${file}: ${use}`),
  ]);
  t.deepEqual(offenses, []);
});

for (const { files, uses, reason } of EXCEPTIONS) {
  test(`an exception is still needed: ${reason}`, (t) => {
    t.true([...sources].some(([file, text]) => files.test(file) && [...text.matchAll(uses)].length > 0));
  });
}

/** The text without comments and without the real timers that are right in this file. */
function withoutExceptions(file: string, text: string): string {
  const code = text.replaceAll(COMMENT, '').replaceAll(ONLY_SET_IMMEDIATE, '');
  return EXCEPTIONS.reduce((rest, { files, uses }) => (files.test(file) ? rest.replaceAll(uses, '') : rest), code);
}

async function readSources(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const file of glob('{daemon,trigger,cdk}/**/*.{ts,js}', { exclude: (name) => name === 'cdk.out' })) {
    found.set(file, readFileSync(file, 'utf8'));
  }
  return found;
}
