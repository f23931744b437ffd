import assert from 'node:assert/strict';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run } from './command.ts';
import type { Tap } from './tap.ts';

const SETTINGS = 'etc/integratord/integratord.env';
/** Directories that the install script may write to. */
const TOUCHED = ['opt', 'usr/local', 'etc'];

/** Installs the release into the root file system, as the image build does. */
export async function checkInstall(tap: Tap, release: string, root: string): Promise<void> {
  const install = () => run(join(release, 'install.sh'), ['--root', root]);

  await tap.check('the install script installs into a root file system, without a package manager', async () => {
    await install();
    const { stdout } = await attempt('chroot', [root, 'integratord', '--version']);
    const { version } = JSON.parse(await readFile(join(release, 'package.json'), 'utf8')) as { version: string };
    assert.equal(stdout.trim(), version);
  });

  await tap.check('installing again changes nothing, and leaves the settings that somebody made', async () => {
    await appendFile(join(root, SETTINGS), '# a line of the administrator\n');
    const before = await listing(root);
    await install();
    assert.deepEqual(await listing(root), before);
    assert.match(await readFile(join(root, SETTINGS), 'utf8'), /a line of the administrator/);
  });

  await tap.check('what it cannot install it refuses, with a reason', async () => {
    const script = join(release, 'install.sh');
    for (const [args, code, reason] of [
      [['--from', root, '--root', root], 1, /is no release: there is no bin\/node in it/],
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

/** Everything in it: path, kind, mode, owner, target of a link; and the contents of what is not ours to change. */
async function listing(root: string): Promise<string[]> {
  const paths = TOUCHED.map((directory) => join(root, directory));
  const kinds = await run('find', [...paths, '-printf', '%P %y %m %U:%G %l\n']);
  const contents = await run('find', [join(root, 'etc'), '-type', 'f', '-exec', 'sha256sum', '{}', '+']);
  return [...kinds.split('\n'), ...contents.split('\n')].sort();
}
