import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { needs } from './support/tools.ts';

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
const SHEBANG = /^#!.*\b(sh|bash)\b/;

/** Every shell script, whatever its name. */
function shellScripts(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const files = execFileSync('git', args, { cwd: CHECKOUT, encoding: 'utf8' }).split('\0').filter(Boolean);
  return files.filter((file) => {
    const path = join(CHECKOUT, file);
    return existsSync(path) && (file.endsWith('.sh') || SHEBANG.test(readFileSync(path, 'latin1').slice(0, 80)));
  });
}

needs(
  test,
  'git',
  'shellcheck',
)('shellcheck finds nothing in any script', (t) => {
  const scripts = shellScripts();
  t.true(scripts.includes('packer/install.sh') && scripts.includes('.ci/run'), scripts.join(' '));
  const { status, stdout } = spawnSync('shellcheck', scripts, { cwd: CHECKOUT, encoding: 'utf8' });
  t.deepEqual([status, stdout], [0, '']);
});
