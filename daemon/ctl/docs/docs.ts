import { readFile, writeFile } from 'node:fs/promises';
import { withSettingsTable } from './settings-table.ts';

/** `npm run docs` writes what daemon/SETTINGS.md has from the sources: the table of settings. */
const SETTINGS = new URL('../../SETTINGS.md', import.meta.url);
await writeFile(SETTINGS, withSettingsTable(await readFile(SETTINGS, 'utf8')));
