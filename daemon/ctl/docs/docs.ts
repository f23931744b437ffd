import { readFile, writeFile } from 'node:fs/promises';
import { withSettingsTable } from './settings-table.ts';

/** `npm run docs` writes what README.md has from the sources: the table of settings. */
const README = new URL('../../../README.md', import.meta.url);
await writeFile(README, withSettingsTable(await readFile(README, 'utf8')));
