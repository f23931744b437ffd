import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Release } from '../../packer/release/release.ts';
import { run } from './command.ts';

const MAIN = fileURLToPath(new URL('../../packer/release/main.ts', import.meta.url));

/** Builds the release for this machine's architecture, like `npm run release`, and unpacks its tarball. Returns the
 *  directory with install.sh. */
export async function unpackRelease(directory: string, signal: AbortSignal): Promise<string> {
  // Unlike `run`, with our own environment, which may contain npm's settings.
  await promisify(execFile)(process.execPath, [MAIN, '--arch', process.arch, '--out', directory], { signal });
  const { releases } = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as {
    releases: readonly [Release];
  };
  const [{ file }] = releases;
  await run('tar', ['--extract', '--file', join(directory, file), '--directory', directory], signal);
  return join(directory, file.replace(/\.tar\.gz$/, ''));
}
