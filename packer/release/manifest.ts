import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release } from './release.ts';

const NAME = 'manifest.json';

/**
 * Writes manifest.json, the list of releases in the directory for the steps that follow. Removes the releases that only
 * the previous manifest listed: they are not of this checkout.
 */
export async function writeManifest(directory: string, releases: readonly Release[]): Promise<void> {
  const before = await listedFiles(directory);
  const file = join(directory, NAME);
  await writeFile(`${file}.new`, `${JSON.stringify({ releases }, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
  const kept = new Set(releases.map((release) => release.file));
  for (const old of before) if (!kept.has(old)) await rm(join(directory, old), { force: true });
}

/** The files in the existing manifest. */
async function listedFiles(directory: string): Promise<string[]> {
  try {
    const { releases } = JSON.parse(await readFile(join(directory, NAME), 'utf8')) as { releases: readonly Release[] };
    return releases.map(({ file }) => file);
  } catch (error) {
    // None yet, or a damaged one: the new one replaces it either way.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
