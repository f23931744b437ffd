import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
/** What of the checkout is part of a release as it is. */
const PARTS = ['daemon', 'systemd', 'package.json'];

/** Makes a release directory of this checkout: what packer/install.sh installs from. */
export async function makeRelease(directory: string, signal: AbortSignal): Promise<void> {
  await mkdir(join(directory, 'bin'), { recursive: true });
  await cp(join(CHECKOUT, 'node_modules/node/bin/node'), join(directory, 'bin/node'));
  await cp(join(CHECKOUT, 'packer/install.sh'), join(directory, 'install.sh'));
  for (const part of [...PARTS, ...(await productionPackages())]) {
    signal.throwIfAborted();
    await mkdir(join(directory, dirname(part)), { recursive: true });
    await cp(join(CHECKOUT, part), join(directory, part), { recursive: true });
  }
}

/** Directories of the installed packages that are needed to run, as `npm ci --omit=dev` would install them. */
async function productionPackages(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const needed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
  return needed.map(([path]) => path).filter((path) => existsSync(join(CHECKOUT, path)));
}
