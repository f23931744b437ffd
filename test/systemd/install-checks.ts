import assert from 'node:assert/strict';
import { appendFile, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run } from './command.ts';
import type { Tap } from './tap.ts';

const SETTINGS = 'etc/integratord/integratord.env';
/** Directories that the install script writes to. */
const TOUCHED = ['opt', 'usr/local', 'etc'];
/** What bash does for `integratorctl unc` followed by Tab. */
const COMPLETE = `. /usr/local/share/bash-completion/completions/integratorctl
  COMP_WORDS=(integratorctl unc) COMP_CWORD=1
  _integratorctl && printf '%s\\n' "\${COMPREPLY[@]}"`;

/** Installs the release into the root file system, like the image build. */
export async function checkInstall(tap: Tap, release: string, root: string): Promise<void> {
  const install = () => run(join(release, 'install.sh'), ['--root', root]);

  await tap.check('the install script installs into a root file system, without a package manager', async () => {
    await install();
    const { stdout } = await attempt('chroot', [root, 'integratord', '--version']);
    const { version } = JSON.parse(await readFile(join(release, 'package.json'), 'utf8')) as { version: string };
    assert.equal(stdout.trim(), version);
  });

  await tap.check('installing again changes nothing and keeps the settings', async () => {
    await appendFile(join(root, SETTINGS), '# a line of the administrator\n');
    const before = await listing(root);
    await install();
    assert.deepEqual(await listing(root), before);
    assert.match(await readFile(join(root, SETTINGS), 'utf8'), /a line of the administrator/);
  });

  await tap.check('man pages and completions are where man and the shells look for them', async () => {
    for (const path of [
      'man/man1/integratorctl.1',
      'man/man8/integratord.8',
      'bash-completion/completions/integratorctl',
    ]) {
      const file = join(root, 'usr/local/share', path);
      assert.equal((await stat(file)).mode & 0o777, 0o644, path);
      assert.match(await readFile(file, 'utf8'), /integratorctl/, path);
    }
    const { stdout } = await attempt('chroot', [root, 'bash', '-c', COMPLETE]);
    assert.deepEqual(stdout.trim().split('\n'), ['uncordon']);
  });

  await tap.check('a truncated release changes nothing', async () => {
    const damaged = `${release}.damaged`;
    await run('cp', ['--archive', '--reflink=auto', release, damaged]);
    await truncate(join(damaged, 'daemon/main.js'), 1000);
    const before = await listing(root);
    const ended = await attempt(join(damaged, 'install.sh'), ['--root', root]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /daemon\/main.js: FAILED\n(.*\n)*install.sh: the release in .* is damaged/);
    assert.deepEqual(await listing(root), before);
  });

  await tap.check('invalid arguments are refused with a reason', async () => {
    const script = join(release, 'install.sh');
    for (const [args, code, reason] of [
      [['--from', root, '--root', root], 1, /is not a release, as it has no SHA256SUMS/],
      [['--root', join(root, 'nowhere')], 2, /needs a directory/],
      [['--root'], 2, /needs a directory/],
      [['--fast'], 2, /usage/],
    ] as const) {
      const ended = await attempt(script, args);
      assert.equal(ended.code, code, args.join(' '));
      assert.match(ended.stderr, reason);
    }
  });
}

/** Everything in it: path, type, mode, owner, link target, contents. */
async function listing(root: string): Promise<string[]> {
  const paths = TOUCHED.map((directory) => join(root, directory));
  const kinds = await run('find', [...paths, '-printf', '%P %y %m %U:%G %l\n']);
  const contents = await run('find', [...paths, '-type', 'f', '-exec', 'sha256sum', '{}', '+']);
  return [...kinds.split('\n'), ...contents.split('\n')].sort();
}
