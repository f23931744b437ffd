import { readFile } from 'node:fs/promises';

/** A setting of the daemon, in Markdown, as README.md's table has it. */
export interface Setting {
  readonly name: string;
  readonly byDefault: string;
  readonly meaning: string;
}

const TABLE_HEAD = '| variable | default | |';

/** The settings of integratord: README.md is the one place that describes them. Throws when it has no such table. */
export async function readSettings(readme = new URL('../../../README.md', import.meta.url)): Promise<Setting[]> {
  const lines = (await readFile(readme, 'utf8')).split('\n');
  const head = lines.indexOf(TABLE_HEAD);
  const settings: Setting[] = [];
  // Past the head and the rule below it.
  for (const line of lines.slice(head + 2)) {
    const [, name, byDefault, meaning] = line.split('|').map((cell) => cell.trim());
    if (name === undefined || byDefault === undefined || meaning === undefined) break;
    settings.push({ name, byDefault, meaning });
  }
  if (head >= 0 && settings.length > 0) return settings;
  throw new Error(`README.md has no table of settings that begins with ${TABLE_HEAD}; the man page needs it`);
}
