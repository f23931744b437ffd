import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { attempt, removeTree, run } from './command.ts';

const SUITE = 'bookworm';
/** Packages of a machine that runs the daemon, apart from the essential ones. */
export const SYSTEMD_PACKAGES: readonly string[] = ['systemd', 'systemd-sysv'];
/** Debian's daily jobs, which use the network. */
const NOT_IN_A_TEST = ['apt-daily.timer', 'apt-daily-upgrade.timer'];
/** A run's directory ends with its process id. */
const OF_A_RUN = /\.(\d+)$/;

/** Where root file systems are kept between runs: outside the checkout, so that fresh clones can use them. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || '/var/cache', 'integratord-test');
}

/** A minimal, never booted Debian with these packages, created on first use. Read-only: runs copy it. */
export async function baseRoot(
  packages: readonly string[],
  cache: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const architecture = (await run('dpkg', ['--print-architecture'], signal)).trim();
  const recipe = createHash('sha256').update(JSON.stringify([SUITE, packages, architecture]));
  const root = join(cache, `${SUITE}-${recipe.digest('hex').slice(0, 12)}`);
  if (existsSync(root)) return root;
  say(`creating a ${SUITE} root file system, once: ${root}`);
  await mkdir(cache, { recursive: true });
  const unfinished = directoryOfThisRun(cache, basename(root));
  const mirror = await mirrorOfThisMachine(signal);
  const include = packages.length > 0 ? [`--include=${packages.join(',')}`] : [];
  const recipeArgs = ['--variant=minbase', ...include, SUITE, unfinished, ...mirror];
  try {
    // In its own mount and process namespaces, which vanish with it, however it ends.
    await run('unshare', ['--mount-proc', '--fork', '--kill-child', 'debootstrap', ...recipeArgs], signal);
    // Another run may have created it meanwhile.
    if (!existsSync(root)) await rename(unfinished, root);
  } finally {
    await removeTree(unfinished);
  }
  return root;
}

/** A directory for this run only. `sweep` recognizes the remains of killed runs by the name. */
export function directoryOfThisRun(cache: string, name: string): string {
  return join(cache, `${name}.${process.pid}`);
}

/** Copies `base`, so that changes need not be undone. */
export async function copyRoot(base: string, root: string, signal: AbortSignal): Promise<void> {
  await run('cp', ['--archive', '--reflink=auto', base, root], signal);
}

/** Disables jobs that use the network, before a root is booted. */
export async function maskTimers(root: string, signal: AbortSignal): Promise<void> {
  await run('systemctl', [`--root=${root}`, 'mask', ...NOT_IN_A_TEST], signal);
}

/** Removes the remains of killed runs. */
export async function sweep(cache: string): Promise<void> {
  if (!existsSync(cache)) return;
  for (const name of await readdir(cache)) {
    const pid = OF_A_RUN.exec(name)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) await removeTree(join(cache, name));
  }
}

/** This machine's package mirror; empty if apt does not report one, for debootstrap's default. */
async function mirrorOfThisMachine(signal: AbortSignal): Promise<string[]> {
  const query = ['--format', '$(REPO_URI)', 'Created-By: Packages', `Codename: ${SUITE}`, 'Component: main'];
  const { code, stdout } = await attempt('apt-get', ['indextargets', ...query], signal);
  const [mirror] = stdout.trim().split('\n');
  return code === 0 && mirror ? [mirror] : [];
}
