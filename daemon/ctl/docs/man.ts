import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION } from '../../contract/version.ts';
import { systemClock } from '../../runtime/clock.ts';
import { EXIT } from '../exit-codes.ts';
import { createProgram } from '../program.ts';
import { commandTree } from './command-tree.ts';
import { integratorctlPage } from './man-integratorctl.ts';
import { integratordPage } from './man-integratord.ts';

/** `node daemon/ctl/docs/man.ts DIR` writes integratorctl.1 and integratord.8 into DIR. */
const [directory, ...others] = process.argv.slice(2);
if (directory === undefined || others.length > 0) {
  process.stderr.write('man: needs one directory to write the pages into: node daemon/ctl/docs/man.ts DIR\n');
  process.exit(EXIT.usage);
}

const { env, stdin, stdout, stderr } = process;
const io = {
  env,
  stdin,
  stdout,
  stderr,
  clock: systemClock,
  etc: '/etc/integratord',
  stop: new AbortController().signal,
};
const pages = {
  'integratorctl.1': integratorctlPage(commandTree(createProgram(io)), VERSION),
  'integratord.8': integratordPage(VERSION),
};
await mkdir(directory, { recursive: true });
for (const [name, page] of Object.entries(pages)) {
  const file = join(directory, name);
  await writeFile(file, page);
  process.stdout.write(`${file}\n`);
}
