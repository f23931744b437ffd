/** "First transcript in ten minutes": a newcomer runs the first command of README.md. The packages are installed. */
import { readFileSync } from 'node:fs';
import { expect, run, StoryFailed, say } from './telling.ts';

const MOST_MS = 10 * 60_000;

const [, first = ''] = /```sh\n([^\n#]+)/.exec(readFileSync('README.md', 'utf8')) ?? [];
say(`README.md's first command: ${first.trim()}`);
expect(first, /^npm ci && npm run demo\s*$/);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const script = scripts['demo']?.replace(/^node /, '') ?? '';
const startedAtMs = performance.now();
const output = await run('npm run demo -- --once', script, ['--once', '--port', '0', ...process.argv.slice(2)]);
const tookMs = performance.now() - startedAtMs;
expect(output, /^#1 +0:00 {2}agent +Thank you for calling/m);
expect(output, /Not a word is missing, and none came twice\./);
if (tookMs > MOST_MS) throw new StoryFailed(`it took ${Math.round(tookMs / 1000)} s`);
say(`A call and its transcript, ${Math.round(tookMs / 1000)} s after the packages were installed.`);
