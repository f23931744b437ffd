import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release } from './release.ts';

const NAME = 'manifest.json';

/**
 * Writes manifest.json, which names the releases in the directory to what comes next, and removes those that the one
 * before it named and this one does not: what it does not name is not a release of this checkout.
 */
export async function writeManifest(directory: string, releases: readonly Release[]): Promise<void> {
  const before = await named(directory);
  const file = join(directory, NAME);
  await writeFile(`${file}.new`, `${JSON.stringify({ releases }, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
  const kept = new Set(releases.map((release) => release.file));
  for (const old of before) if (!kept.has(old)) await rm(join(directory, old), { force: true });
}

/** The files that the manifest which is there names. */
async function named(directory: string): Promise<string[]> {
  try {
    const { releases } = JSON.parse(await readFile(join(directory, NAME), 'utf8')) as { releases: readonly Release[] };
    return releases.map(({ file }) => file);
  } catch (error) {
    // The first one, or one that was broken by hand: the new one takes its place either way.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
