import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from './archive.ts';
import { bundlePrograms } from './bundle.ts';
import { readJson } from './checkout.ts';
import { sha256 } from './checksum.ts';
import { type Content, commonContents, materials } from './contents.ts';
import { licensesOf } from './licenses.ts';
import { type Package, packagesOf } from './packages.ts';
import { type Architecture, fetchRuntime, type Runtime } from './runtime.ts';

/** A tarball in release/manifest.json, which the image build reads. */
export interface Release {
  /** In the manifest's directory. */
  readonly file: string;
  readonly version: string;
  readonly arch: Architecture;
  readonly node: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What is the same for all architectures. */
interface Common {
  readonly version: string;
  readonly packages: readonly Package[];
  readonly contents: readonly Content[];
}

/**
 * Builds a release per architecture in the directory `out`, which is created if necessary. Either all are replaced, or
 * none: existing ones stay until the new ones are complete. Throws ReleaseFailure.
 * @param runtimeOf provides the Node of an architecture
 */
export async function makeReleases(
  checkout: string,
  architectures: readonly Architecture[],
  out: string,
  runtimeOf: typeof fetchRuntime = fetchRuntime,
): Promise<Release[]> {
  await mkdir(out, { recursive: true });
  // In the same file system as `out`, so that files can be renamed into it.
  const scratch = await mkdtemp(join(out, '.unfinished-'));
  try {
    // First the steps that depend on the network or other packages.
    const runtimes: Runtime[] = [];
    for (const arch of architectures) runtimes.push(await runtimeOf(checkout, arch, join(scratch, 'npm')));
    const common = await makeCommon(checkout);
    const releases: Release[] = [];
    for (const runtime of runtimes) releases.push(await makeRelease(checkout, common, runtime, scratch));
    for (const { file } of releases) await rename(join(scratch, file), join(out, file));
    return releases;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function makeCommon(checkout: string): Promise<Common> {
  const { version } = await readJson<{ version: string }>(checkout, 'package.json');
  const bundles = await bundlePrograms(checkout);
  const packages = await packagesOf(checkout, bundles.sources);
  return { version, packages, contents: await commonContents(checkout, version, bundles) };
}

async function makeRelease(
  checkout: string,
  { version, packages, contents }: Common,
  runtime: Runtime,
  scratch: string,
): Promise<Release> {
  const { arch, version: node } = runtime;
  const licenses = await licensesOf(checkout, packages, { version: node, license: runtime.license });
  const all: Content[] = [
    ...contents,
    { path: 'bin/node', mode: 0o755, data: await readFile(runtime.program) },
    { path: 'LICENSES.txt', mode: 0o644, data: Buffer.from(licenses) },
    materials({ version, arch, node, packages }),
  ];
  const top = `integratord-${version}-linux-${arch}`;
  const file = `${top}.tar.gz`;
  await pack(join(scratch, file), top, all, scratch);
  const packed = await readFile(join(scratch, file));
  return { file, version, arch, node, bytes: packed.byteLength, sha256: sha256(packed) };
}
