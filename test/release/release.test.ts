import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import anyTest, { type TestFn } from 'ava';
import { CHECKOUT } from '../../packer/release/checkout.ts';
import type { Release } from '../../packer/release/release.ts';
import { release, smallRelease } from './release-command.ts';

const run = promisify(execFile);
const test = anyTest as TestFn<{ out: string; releases: readonly Release[]; listed: readonly string[]; top: string }>;

/** ELF's e_machine: the architecture of a program. */
const ELF_MACHINE = { arm64: 0xb7, x64: 0x3e } as const;
const ELF_MACHINE_AT = 18;
/** A release is built from these, and from nothing else in the checkout. */
const SOURCES = ['daemon', 'packer', 'systemd', 'package.json', 'package-lock.json', 'LICENSE', 'tsconfig.json'];
/** Two Nodes of 120 MB are packed, possibly beside all other tests. */
const TIMEOUT_MS = 600_000;

const manifestOf = async (out: string) =>
  JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')) as { releases: readonly Release[] };

async function temporary(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'integratord-release-'));
}

/** Extracts the tarball; returns a line with all metadata for each file in it. */
async function extracted(file: string, directory: string): Promise<string> {
  const details = ['--verbose', '--verbose', '--numeric-owner', '--full-time', '--utc'];
  const args = ['--extract', ...details, '--file', file, '--directory', directory];
  return (await run('tar', args, { env: { ...process.env, TZ: 'UTC' } })).stdout;
}

test.before(async (t) => {
  t.timeout(TIMEOUT_MS);
  const out = await temporary();
  const made = await release(['--out', out]);
  t.deepEqual([made.code, made.stderr], [0, '']);
  const { releases } = await manifestOf(out);
  const listed: string[] = [];
  for (const { file } of releases) listed.push(await extracted(join(out, file), out));
  t.context = { out, releases, listed, top: join(out, `integratord-${releases[0]?.version}-linux-`) };
});
test.after.always((t) => (t.context.out ? rm(t.context.out, { recursive: true }) : undefined));

test('there is a tarball per architecture, listed in the manifest', async (t) => {
  const { out, releases } = t.context;
  t.deepEqual(
    releases.map(({ arch }) => arch),
    ['arm64', 'x64'],
  );
  const { version } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
  for (const { file, arch, bytes, sha256, ...rest } of releases) {
    t.is(file, `integratord-${version}-linux-${arch}.tar.gz`);
    t.deepEqual(rest, { version, node: process.versions.node });
    const packed = await readFile(join(out, file));
    t.deepEqual([bytes, sha256], [packed.byteLength, createHash('sha256').update(packed).digest('hex')]);
  }
});

test('each has the Node of its architecture; all other files are the same', async (t) => {
  const { top } = t.context;
  for (const arch of ['arm64', 'x64'] as const) {
    const node = await readFile(`${top}${arch}/bin/node`);
    t.is(node.readUInt16LE(ELF_MACHINE_AT), ELF_MACHINE[arch]);
    await run('sha256sum', ['--check', '--quiet', '--strict', 'SHA256SUMS'], { cwd: `${top}${arch}` });
  }
  const differing = await run('diff', ['--recursive', '--brief', `${top}arm64`, `${top}x64`]).catch(
    (error: { stdout: string }) => error,
  );
  t.deepEqual(namesIn(differing.stdout), ['MANIFEST.json', 'SHA256SUMS', 'node', '']);
});

test('a release has everything that an instance needs, and every file has a checksum', async (t) => {
  const top = `${t.context.top}x64`;
  const files = (await readdir(top, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(top.length + 1));
  const sums = await readFile(join(top, 'SHA256SUMS'), 'utf8');
  const summed = sums
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(66));
  t.deepEqual([...summed, 'SHA256SUMS'].sort(), files.sort());
  for (const file of [
    'LICENSE',
    'LICENSES.txt',
    'bin/node',
    'completions/bash/integratorctl',
    'daemon/ctl/main.js',
    'daemon/lifecycle/report-absence.js',
    'daemon/main.js',
    'install.sh',
    'man/integratorctl.1',
    'man/integratord.8',
    'systemd/integratord-absence.service',
    'systemd/integratord-absence.sh',
    'systemd/integratord-absence.timer',
    'systemd/integratord.service',
  ]) {
    t.true(files.includes(file), file);
  }
  const isExecutable = async (file: string) => ((await stat(join(top, file))).mode & 0o111) !== 0;
  t.deepEqual(await Promise.all(['bin/node', 'install.sh', 'daemon/main.js'].map(isExecutable)), [true, true, false]);
});

test('every bundled package is listed with version and license, and its license text is included', async (t) => {
  const top = `${t.context.top}x64`;
  const manifest = JSON.parse(await readFile(join(top, 'MANIFEST.json'), 'utf8')) as {
    packages: { name: string; version: string; license: string }[];
  };
  const { dependencies } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  t.is(await readFile(join(top, 'LICENSE'), 'utf8'), await readFile(join(CHECKOUT, 'LICENSE'), 'utf8'));
  const licenses = await readFile(join(top, 'LICENSES.txt'), 'utf8');
  for (const { name, version, license } of manifest.packages) {
    t.true(licenses.includes(`\n${name} ${version} (${license})\n`), name);
  }
  for (const text of ['Apache License', 'Permission is hereby granted', 'Node.js is licensed for use as follows']) {
    t.true(licenses.includes(text), text);
  }
  // Only imported packages are listed, each with the version pinned in package.json.
  const named = new Map(manifest.packages.map(({ name, version }) => [name, version]));
  for (const name of ['commander', 'pino', 'polka', 'ws', 'zod', '@deepgram/sdk', '@aws-sdk/client-kinesis-video']) {
    t.is(named.get(name), dependencies[name], name);
  }
});

test('no file of a release identifies the build machine', async (t) => {
  const names = await run('grep', [
    '--recursive',
    '--files-with-matches',
    '--text',
    '-e',
    CHECKOUT,
    `${t.context.top}x64`,
  ]).catch((error: { code: number; stdout: string }) => error);
  t.is(names.stdout, '');
  // tar creates directories that are not in a release.
  const lines = t.context.listed.flatMap((text) =>
    text.split('\n').filter((line) => !line.includes(' Creating directory: ')),
  );
  const files = lines.filter((line) => line !== '');
  t.true(files.length > 0);
  for (const line of files) {
    t.regex(line, /^-rw[-x]r-[-x]r-[-x] 0\/0 +\d+ 1970-01-01 00:00:00 integratord-/);
  }
});

test('built again, elsewhere and in another environment, a release has the same bytes', async (t) => {
  const directory = await temporary();
  t.teardown(() => rm(directory, { recursive: true }));
  const checkout = join(directory, 'another-checkout');
  for (const source of SOURCES) await cp(join(CHECKOUT, source), join(checkout, source), { recursive: true });
  await symlink(join(CHECKOUT, 'node_modules'), join(checkout, 'node_modules'));
  const environment = { TZ: 'Asia/Kolkata', LANG: 'tr_TR.UTF-8', COLUMNS: '40', FORCE_COLOR: '1' };
  const made = [
    await smallRelease(join(directory, 'here')),
    await smallRelease(join(directory, 'elsewhere'), { checkout, env: environment, umask: '077' }),
  ];
  for (const { code, stderr } of made) t.deepEqual([code, stderr], [0, '']);
  const [here, elsewhere] = await Promise.all(
    ['here', 'elsewhere'].map(async (name) => {
      const { releases } = await manifestOf(join(directory, name));
      const packed = await Promise.all(releases.map(({ file }) => readFile(join(directory, name, file))));
      return { releases, packed };
    }),
  );
  t.is(here?.releases.length, 1);
  t.deepEqual(elsewhere?.releases, here?.releases);
  t.true(elsewhere?.packed[0]?.equals(here?.packed[0] ?? Buffer.alloc(0)));

  // What is not small in it has the bytes that are in the release with Node.
  await run('tar', ['--extract', '--file', join(directory, 'here', here?.releases[0]?.file ?? ''), '-C', directory]);
  const top = join(directory, `integratord-${here?.releases[0]?.version}-linux-arm64`);
  const differing = await run('diff', ['--recursive', '--brief', `${t.context.top}arm64`, top]).catch(
    (error: { stdout: string }) => error,
  );
  t.deepEqual(namesIn(differing.stdout), ['LICENSES.txt', 'SHA256SUMS', 'node', '']);
});

/** The files that `diff --brief` names, or what else it says. */
function namesIn(stdout: string): string[] {
  return stdout.split('\n').map((line) => line.match(/[^/]+(?= differ$)/)?.[0] ?? line);
}
