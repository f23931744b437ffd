import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { attempt, removeTree, run } from './command.ts';

const SUITE = 'bookworm';
/** What a machine that runs the daemon has, apart from the essential packages. */
export const SYSTEMD_PACKAGES: readonly string[] = ['systemd', 'systemd-sysv'];
/** Debian's own daily work goes to the network, which nothing in a test may. */
const NOT_IN_A_TEST = ['apt-daily.timer', 'apt-daily-upgrade.timer'];
/** A directory that a run works in has the run's process id at the end. */
const OF_A_RUN = /\.(\d+)$/;

/** Where file systems are kept from run to run: outside the checkout, which a fresh clone has not. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || '/var/cache', 'integratord-test');
}

/** A minimal Debian with these packages that was never booted; made on first use. Not to be changed: runs copy it. */
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
  say(`making a ${SUITE} root file system, once: ${root}`);
  await mkdir(cache, { recursive: true });
  const unfinished = directoryOfThisRun(cache, basename(root));
  const mirror = await mirrorOfThisMachine(signal);
  const include = packages.length > 0 ? [`--include=${packages.join(',')}`] : [];
  const recipeArgs = ['--variant=minbase', ...include, SUITE, unfinished, ...mirror];
  try {
    // In mounts and processes of its own: both are gone with it, however it ends.
    await run('unshare', ['--mount-proc', '--fork', '--kill-child', 'debootstrap', ...recipeArgs], signal);
    // Another run may have been faster.
    if (!existsSync(root)) await rename(unfinished, root);
  } finally {
    await removeTree(unfinished);
  }
  return root;
}

/** A directory that this run alone works in; what a run that is killed leaves, `sweep` knows by the name. */
export function directoryOfThisRun(cache: string, name: string): string {
  return join(cache, `${name}.${process.pid}`);
}

/** Copies `base`: nothing has to be undone in the copy, only thrown away. */
export async function copyRoot(base: string, root: string, signal: AbortSignal): Promise<void> {
  await run('cp', ['--archive', '--reflink=auto', base, root], signal);
}

/** To be called before a root with systemd is booted. */
export async function maskTimers(root: string, signal: AbortSignal): Promise<void> {
  await run('systemctl', [`--root=${root}`, 'mask', ...NOT_IN_A_TEST], signal);
}

/** Removes what runs left that were killed before they could. */
export async function sweep(cache: string): Promise<void> {
  if (!existsSync(cache)) return;
  for (const name of await readdir(cache)) {
    const pid = OF_A_RUN.exec(name)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) await removeTree(join(cache, name));
  }
}

/** Where this machine's own packages come from; none when apt does not say, and debootstrap uses its default. */
async function mirrorOfThisMachine(signal: AbortSignal): Promise<string[]> {
  const query = ['--format', '$(REPO_URI)', 'Created-By: Packages', `Codename: ${SUITE}`, 'Component: main'];
  const { code, stdout } = await attempt('apt-get', ['indextargets', ...query], signal);
  const [mirror] = stdout.trim().split('\n');
  return code === 0 && mirror ? [mirror] : [];
}
