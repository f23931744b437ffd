import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parseEnvironmentFile } from '../../daemon/ctl/environment-file.ts';

/** Lines of a file, and the value of A in it; undefined: A is not set. */
const CASES: readonly [lines: string, value: string | undefined][] = [
  ['A=300', '300'],
  ['A=300 # two thirds', '300 # two thirds'],
  ['# A=1\n; A=2\nA=3', '3'],
  ['A=http://user:p#ss@proxy:3128', 'http://user:p#ss@proxy:3128'],
  ['  A \t=  in the middle  \t', 'in the middle'],
  ['A=1\nA=2', '2'],
  ['A=1\r\nB=2\r\n', '1'],
  ['A=one \\\n  two', 'one   two'],
  ['A=a\\ b\\\\c\\nd', 'a b\\cnd'],
  ['A=blank at the end\\ ', 'blank at the end '],
  ["A='single # \\n'", 'single # \\n'],
  ["A='it''s' \"so\" x ", 'itssox'],
  ['A="a\\"b\\\\c\\nd\\`e"', 'a"b\\c\\nd`e'],
  ['A="two\nlines"', 'two\nlines'],
  ['A="one \\\nline"', 'one line'],
  ['A=abc"def"', 'abc"def"'],
  ["A='not closed\nB=2", 'not closed\nB=2'],
  ['A="not closed\\', 'not closed'],
  ['A=ends in a backslash\\', 'ends in a backslash'],
  ['A==b=c', '=b=c'],
  ['export A=1', undefined],
  ['A', undefined],
  ['A-B=1\nA.=2\n1A=3', undefined],
  ['# a comment that goes on \\\nA=1', undefined],
  ['# a comment \\\\\nA=1', '1'],
];

for (const [lines, value] of CASES) {
  test(`systemd reads ${JSON.stringify(lines)} as ${JSON.stringify(value)}`, (t) => {
    t.is(parseEnvironmentFile(lines).settings['A'], value);
  });
}

/** systemd's own parser, of the same format, without its manager; 254 and later end a comment with its line. */
const GENERATOR = '/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator';
const systemdVersion = Number(
  /^systemd (\d+)/.exec(spawnSync('systemctl', ['--version']).stdout?.toString() ?? '')?.[1],
);

(existsSync(GENERATOR) && systemdVersion < 254 ? test : test.skip)('systemd itself reads them so', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'env-'));
  t.teardown(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'environment.d'));
  for (const [lines, value] of CASES) {
    await writeFile(join(directory, 'environment.d/a.conf'), lines);
    const { stdout } = spawnSync(GENERATOR, { env: { XDG_CONFIG_HOME: directory } });
    const shown = /^A=(.*)$/m.exec(stdout.toString())?.[1];
    t.is(shown?.startsWith('"') ? unescaped(shown.slice(1, -1)) : shown, value, lines);
  }
});

test('an empty value is one, and takes the place of another', (t) => {
  t.deepEqual(parseEnvironmentFile('A=1\nA=\nB=""\n').settings, { A: '', B: '' });
});

test('lines that systemd ignores are counted, comments and empty lines are not', (t) => {
  const lines = ['# a', '', 'A=1', 'export B=2', 'C="two', 'lines"', 'nonsense', '=x', ''];
  t.deepEqual(parseEnvironmentFile(lines.join('\n')).ignoredLines, [4, 7, 8]);
});

/** The generator prints C escapes. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, next: string) => (next === 'n' ? '\n' : next));
}
