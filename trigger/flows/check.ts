import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkFlow, type Report } from './check/check-flow.ts';
import { OldFormat } from './check/flow.ts';

/** `node trigger/flows/check.ts [--trigger NAME] [FILES]` checks contact flows, by default those beside it. Prints a
 *  line per finding. Exit code 0: no errors; 1: errors; 2: a file cannot be read or checked, or the arguments are wrong. */
const EXIT = { ok: 0, found: 1, unreadable: 2 } as const;

// A reader such as `head` may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = check();

function check(): number {
  const args = readArgs();
  if (args === undefined) return EXIT.unreadable;
  const codes = args.files.map((file) => checkFile(file, args.trigger));
  return Math.max(EXIT.ok, ...codes);
}

function checkFile(file: string, triggerName: string | undefined): number {
  const reports = reportsOf(file, triggerName);
  if (reports === undefined) return EXIT.unreadable;
  for (const report of reports) process.stdout.write(`${file}: ${lineOf(report)}\n`);
  const errors = reports.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) return EXIT.found;
  const warnings = reports.length;
  process.stdout.write(
    `${file}: ok${warnings > 0 ? `, with ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : ''}\n`,
  );
  return EXIT.ok;
}

function reportsOf(file: string, triggerName: string | undefined): readonly Report[] | undefined {
  const text = read(file);
  if (text === undefined) return undefined;
  try {
    return checkFlow(text, triggerName);
  } catch (error) {
    if (!(error instanceof OldFormat)) throw error;
    process.stderr.write(`${file}: cannot be checked: ${error.message}\n`);
    return undefined;
  }
}

function lineOf({ severity, block, action, what, why }: Report): string {
  const where = block === undefined ? action : `${action}, ${block}`;
  return `${severity}: ${where}: ${what}: ${why}`;
}

function readArgs(): { readonly files: readonly string[]; readonly trigger: string | undefined } | undefined {
  try {
    const { values, positionals } = parseArgs({ options: { trigger: { type: 'string' } }, allowPositionals: true });
    return { files: positionals.length > 0 ? positionals : ourFlows(), trigger: values.trigger };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nusage: check.ts [--trigger NAME] [FILES]\n`);
    return undefined;
  }
}

function ourFlows(): readonly string[] {
  const here = new URL('.', import.meta.url);
  return readdirSync(here)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => relative('', fileURLToPath(new URL(name, here))));
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    process.stderr.write(`${file}: cannot be read: ${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
}
