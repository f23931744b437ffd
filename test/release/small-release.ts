/** Builds a release of a checkout, as `npm run release` does, but with a small program in place of Node, which takes long
 *  to pack: node small-release.ts CHECKOUT OUT. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Architecture, Runtime } from '../../packer/release/runtime.ts';

/** In place of Node, which does not vary either: its version is pinned. */
const PROGRAM = 'a small program\n'.repeat(10_000);

async function smallRuntime(_: string, arch: Architecture, directory: string): Promise<Runtime> {
  await mkdir(directory, { recursive: true });
  const program = join(directory, 'node');
  await writeFile(program, PROGRAM);
  return { arch, version: process.versions.node, program, license: 'the license of the program' };
}

const [checkout = '', out = ''] = process.argv.slice(2);
/** Of that checkout, not of this one. */
const moduleOf = (name: string) => pathToFileURL(join(checkout, 'packer/release', name)).href;
const { makeReleases } = (await import(moduleOf('release.ts'))) as typeof import('../../packer/release/release.ts');
const { writeManifest } = (await import(moduleOf('manifest.ts'))) as typeof import('../../packer/release/manifest.ts');
await writeManifest(out, await makeReleases(checkout, ['arm64'], out, smallRuntime));
