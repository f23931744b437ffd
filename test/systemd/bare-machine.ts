/** `npm run test:bare`: runs `npm ci && npm test` on the last commit, as a user of a Debian with Node, npm and nothing
 *  else. Exits with their code, or with 2 if this machine cannot run it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, cp, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { baseRoot, cacheDirectory, copyRoot, directoryOfThisRun, sweep } from './base-root.ts';
import { removeTree, run } from './command.ts';
import { missingRequirements } from './requirements.ts';

const EXIT_CANNOT_RUN = 2;
const EXIT_INTERRUPTED = 130;
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const UID = 1000;
const HOME = '/home/developer';
const CLONE = `${HOME}/integratord`;
const CA_FILE = '/etc/npm-ca.pem';
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME, LANG: 'C.UTF-8' };

const say = (line: string) => process.stdout.write(`${line}\n`);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

const missing = missingRequirements('change its root directory', ['debootstrap', 'git', 'setpriv']);
if (missing.length > 0) {
  for (const line of missing) process.stderr.write(`test:bare: ${line}\n`);
  process.exit(EXIT_CANNOT_RUN);
}
process.exit(await main(interrupted.signal));

async function main(signal: AbortSignal): Promise<number> {
  const cache = cacheDirectory();
  await sweep(cache);
  const root = directoryOfThisRun(cache, 'bare');
  try {
    const base = await baseRoot([], cache, say, signal);
    await copyRoot(base, root, signal);
    await addNode(root);
    await addNetwork(root);
    await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
    await appendFile(join(root, 'etc/passwd'), `developer:x:${UID}:${UID}::${HOME}:/bin/sh\n`);
    await run('git', ['clone', '--quiet', '--no-local', CHECKOUT, join(root, CLONE)], signal);
    await run('chown', ['--recursive', `${UID}:${UID}`, join(root, HOME)], signal);
    return await inside(root, 'npm ci && npm test', signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return EXIT_INTERRUPTED;
  } finally {
    await removeTree(root);
  }
}

/** Copies this Node, and the npm that runs this script or is on PATH. */
async function addNode(root: string): Promise<void> {
  const { stdout } = await promisify(execFile)('sh', ['-c', 'command -v npm']);
  const npm = await realpath(process.env['npm_execpath'] ?? stdout.trim());
  const prefix = join(root, 'usr/local');
  await copyFile(process.execPath, join(prefix, 'bin/node'));
  await cp(dirname(dirname(npm)), join(prefix, 'lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  await run('ln', ['--symbolic', '../lib/node_modules/npm/bin/npm-cli.js', join(prefix, 'bin/npm')]);
}

/** Copies this machine's settings for name resolution and the registry. */
async function addNetwork(root: string): Promise<void> {
  await copyFile('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
  const lines: string[] = [];
  for (const name of ['registry', 'https-proxy', 'proxy', 'noproxy']) {
    const value = await npmSetting(name);
    if (value !== undefined) lines.push(`${name}=${value}\n`);
  }
  const caFile = (await npmSetting('cafile')) ?? process.env['NODE_EXTRA_CA_CERTS'];
  if (caFile !== undefined) {
    await copyFile(caFile, join(root, CA_FILE));
    lines.push(`cafile=${CA_FILE}\n`);
  }
  await mkdir(join(root, HOME), { recursive: true });
  await writeFile(join(root, HOME, '.npmrc'), lines.join(''));
}

async function npmSetting(name: string): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', name]);
  const value = stdout.trim();
  return ['', 'null', 'undefined'].includes(value) ? undefined : value;
}

/** Runs a shell command in the clone, as a user; returns its exit code. All its processes end with it. */
async function inside(root: string, command: string, signal: AbortSignal): Promise<number> {
  // The first process of the namespace stays root: a change of user would reset --kill-child.
  const init = ['sh', '-c', 'setpriv "$@"; exit "$?"', 'init'];
  const user = [`--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', 'sh', '-c', `cd ${CLONE} && ${command}`];
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', `--mount-proc=${join(root, 'proc')}`];
  const child = spawn('unshare', [...namespaces, '/usr/sbin/chroot', root, ...init, ...user], {
    stdio: 'inherit',
    env: ENVIRONMENT,
  });
  // unshare blocks SIGTERM.
  signal.addEventListener('abort', () => child.kill('SIGKILL'));
  const [code] = await once(child, 'close');
  signal.throwIfAborted();
  return typeof code === 'number' ? code : 1;
}
