import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { VERSION } from '../version.ts';
import { commandTree } from './command-tree.ts';
import { EXIT } from './exit-codes.ts';
import { integratorctlPage } from './man-integratorctl.ts';
import { integratordPage } from './man-integratord.ts';
import { createProgram } from './program.ts';
import { readSettings } from './settings-table.ts';

/** `node daemon/ctl/man.ts DIR` writes integratorctl.1 and integratord.8 into DIR. */
const [directory, ...others] = process.argv.slice(2);
if (directory === undefined || others.length > 0) {
  process.stderr.write('man: needs one directory to write the pages into: node daemon/ctl/man.ts DIR\n');
  process.exit(EXIT.usage);
}

const { env, stdin, stdout, stderr } = process;
const stop = new AbortController().signal;
const world = { env, stdin, stdout, stderr, clock: systemClock, pause: (ms: number) => pause(ms), stop };
const pages = {
  'integratorctl.1': integratorctlPage(commandTree(createProgram(world)), VERSION),
  'integratord.8': integratordPage(await readSettings(), VERSION),
};
await mkdir(directory, { recursive: true });
for (const [name, page] of Object.entries(pages)) {
  const file = join(directory, name);
  await writeFile(file, page);
  process.stdout.write(`${file}\n`);
}
