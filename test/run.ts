/** `npm test`: runs ava with the given arguments, lists tests skipped because of missing programs, and exits with ava's
 *  code. Without files among them it runs all but those of `npm run test:tools`, which is this with --tools first. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlesForTests } from './support/bundles.ts';
import { skippedReport } from './support/skipped-report.ts';
import type { SkippedTest } from './support/tools.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const AVA = join(ROOT, 'node_modules/ava/entrypoints/cli.js');

const isOfTools = process.argv[2] === '--tools';
const args = process.argv.slice(isOfTools ? 3 : 2);
const namesFiles = args.some((arg) => arg.endsWith('.ts'));
const bundles = await bundlesForTests();
const directory = mkdtempSync(join(tmpdir(), 'integratord-tests-'));
const skippedFile = join(directory, 'skipped.jsonl');
writeFileSync(skippedFile, '');
const ava = spawn(process.execPath, [AVA, ...args], {
  cwd: ROOT,
  stdio: 'inherit',
  env: {
    // Tests start hundreds of processes from the same sources; cached compilation halves the CPU of a start.
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node-compile'),
    ...process.env,
    TEST_FILES: isOfTools ? 'tools' : namesFiles ? 'all' : 'product',
    SKIPPED_TESTS: skippedFile,
    TEST_BUNDLES: bundles,
  },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ava.kill(signal));
const [code] = await once(ava, 'close');
const lines = readFileSync(skippedFile, 'utf8').split('\n').filter(Boolean);
rmSync(directory, { recursive: true });
const skipped = lines.map((line) => JSON.parse(line) as SkippedTest);
const isTap = args.includes('--tap') || args.includes('-t');
for (const line of skippedReport(skipped, ROOT)) process.stdout.write(`${isTap ? `# ${line}`.trimEnd() : line}\n`);
process.exitCode = typeof code === 'number' ? code : 1;
