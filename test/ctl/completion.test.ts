import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ctl } from './ctl-process.ts';

function bash(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
  if (status !== 0 || stderr !== '') throw new Error(`bash ${args.join(' ')} (${status}): ${stderr}`);
  return stdout;
}

/** Takes the place of the installed program, which completion asks for the running sessions. */
const INSTALLED =
  'integratorctl() { [ "$*" = "sessions list --output name" ] && printf "%s\\n" c0ffee00-1 c0ffee00-2 d0; }';

/** The words typed so far, the last one incomplete, and the completions of that one. */
const CASES: [typed: string[], offered: string[]][] = [
  [['se'], ['sessions']],
  [
    ['sessions', 's'],
    ['show', 'stop'],
  ],
  [['sessions', '--st'], ['--state']],
  [
    ['sessions', 'list', '--state', ''],
    ['running', 'ending', 'ended', 'completed', 'failed'],
  ],
  [
    ['--json', 'sessions', '--state', 'e'],
    ['ending', 'ended'],
  ],
  [
    ['drain', '--no-'],
    ['--no-deadline', '--no-header'],
  ],
  [['drain', '--deadline', ''], []],
  [['completion', 'b'], ['bash']],
  [['log-level', 'de'], ['debug']],
  [
    ['sessions', 'show', 'c0'],
    ['c0ffee00-1', 'c0ffee00-2'],
  ],
  [['sessions', 'stop', 'd'], ['d0']],
  [['sessions', 'c'], []],
  [['page', '--l'], ['--listen']],
];

test('bash completes commands, options and values', async (t) => {
  const { code, stdout, stderr } = await ctl(['completion', 'bash']);
  t.deepEqual([code, stderr], [0, '']);
  const directory = await mkdtemp(join(tmpdir(), 'ctl-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'integratorctl.bash');
  await writeFile(file, stdout);
  bash('-n', file);
  for (const [typed, offered] of CASES) {
    const words = ['integratorctl', ...typed].map((word) => `'${word}'`).join(' ');
    const script = `. ${file}; ${INSTALLED}; COMP_WORDS=(${words}); COMP_CWORD=${typed.length}; _integratorctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    t.deepEqual(bash('-c', script).split('\n').filter(Boolean).sort(), offered.toSorted(), typed.join(' '));
  }
});
