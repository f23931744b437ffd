import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkFlow } from './check/check-flow.ts';

/** `node trigger/flows/check.ts [FILES]` checks contact flows, by default those beside it. Prints a line per finding.
 *  Exit code 0: no findings; 1: findings; 2: a file cannot be read. */
const EXIT = { ok: 0, found: 1, unreadable: 2 } as const;

let code: number = EXIT.ok;
for (const file of filesToCheck(process.argv.slice(2))) {
  const text = read(file);
  if (text === undefined) {
    code = EXIT.unreadable;
    continue;
  }
  const findings = checkFlow(text);
  for (const { action, what, why } of findings) process.stdout.write(`${file}: ${action}: ${what}: ${why}\n`);
  if (findings.length === 0) process.stdout.write(`${file}: ok\n`);
  else if (code === EXIT.ok) code = EXIT.found;
}
process.exitCode = code;

function filesToCheck(named: readonly string[]): readonly string[] {
  if (named.length > 0) return named;
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
