import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ctl } from './ctl-process.ts';

const ifInstalled = (shell: string) => (spawnSync(shell, ['--version']).status === 0 ? test : test.skip);

async function scriptFor(t: ExecutionContext, shell: string): Promise<string> {
  const { code, stdout, stderr } = await ctl(['completion', shell]);
  t.deepEqual([code, stderr], [0, '']);
  const directory = await mkdtemp(join(tmpdir(), 'ctl-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, `integratorctl.${shell}`);
  await writeFile(file, stdout);
  return file;
}

function run(shell: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(shell, args, { encoding: 'utf8' });
  if (status !== 0 || stderr !== '') throw new Error(`${shell} ${args.join(' ')} (${status}): ${stderr}`);
  return stdout;
}

/** What is typed, and what can come next; the last word is what has been typed of it. */
const CASES: [typed: string[], offered: string[]][] = [
  [['se'], ['sessions']],
  [
    ['sessions', 's'],
    ['show', 'stop'],
  ],
  [['sessions', '--st'], ['--state']],
  [
    ['sessions', 'list', '--state', ''],
    ['running', 'ending', 'ended'],
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
  [['page', '--l'], ['--listen']],
];

ifInstalled('bash')('bash completes commands, options and values', async (t) => {
  const file = await scriptFor(t, 'bash');
  run('bash', '-n', file);
  for (const [typed, offered] of CASES) {
    const words = ['integratorctl', ...typed].map((word) => `'${word}'`).join(' ');
    const script = `. ${file}; COMP_WORDS=(${words}); COMP_CWORD=${typed.length}; _integratorctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    t.deepEqual(run('bash', '-c', script).split('\n').filter(Boolean).sort(), offered.toSorted(), typed.join(' '));
  }
});

ifInstalled('fish')('fish completes commands, options and values', async (t) => {
  const file = await scriptFor(t, 'fish');
  run('fish', '--no-execute', file);
  for (const [typed, offered] of CASES) {
    const script = `source ${file}; complete -C 'integratorctl ${typed.join(' ')}'`;
    const words = run('fish', '--no-config', '-c', script)
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[0]);
    t.deepEqual(words.sort(), offered.toSorted(), typed.join(' '));
  }
});

ifInstalled('zsh')('zsh completes commands, options and values', async (t) => {
  const file = await scriptFor(t, 'zsh');
  run('zsh', '-n', file);
  for (const [typed, offered] of CASES) {
    const words = ['integratorctl', ...typed].map((word) => `'${word}'`).join(' ');
    // What the completion system would do with the choices: those that begin with what has been typed.
    const script = `compdef() { : }; _describe() { print -l -- \${\${(P)2}%%:*} }; . ${file}
      words=(${words}); CURRENT=$#words; _integratorctl`;
    const choices = run('zsh', '-f', '-c', script).split('\n').filter(Boolean);
    const fitting = choices.filter((choice) => choice.startsWith(typed.at(-1) ?? ''));
    t.deepEqual(fitting.sort(), offered.toSorted(), typed.join(' '));
  }
});
