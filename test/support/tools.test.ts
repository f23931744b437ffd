import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestFn } from 'ava';
import { skippedReport } from './skipped-report.ts';
import { installCommands, isInstalled, needs, type SkippedTest, type ToolName } from './tools.ts';

/** Records what a test file declares, in place of ava. */
function declarations() {
  const declared: string[] = [];
  const as = (kind: string) => (title: string) => void declared.push(`${kind}: ${title}`);
  const serial = Object.assign(as('serial'), { skip: as('serial skip') });
  const fake = Object.assign(as('test'), {
    serial,
    skip: as('skip'),
  });
  return { declared, fake: fake as unknown as TestFn };
}

/** Runs `body` with additional environment variables. */
function withEnvironment(variables: Readonly<Record<string, string>>, body: () => void): void {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    body();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

test.serial('a test whose tool is missing is skipped and reported', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-tools-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'skipped');
  const { declared, fake } = declarations();
  withEnvironment({ PATH: directory, CHROMIUM_PATH: process.execPath, CI: '', SKIPPED_TESTS: file }, () => {
    needs(fake, 'chromium')('one', () => {});
    needs(fake, 'openssl', 'packer')('two', () => {});
    needs(fake.serial, 'cfn-lint')('three', () => {});
    needs(fake, 'cfn-lint').serial('four', () => {});
  });
  t.deepEqual(declared, ['test: one', 'skip: two', 'serial skip: three', 'serial skip: four']);
  const noted = readFileSync(file, 'utf8').trimEnd().split('\n');
  t.deepEqual(JSON.parse(noted[0] ?? ''), {
    tools: ['openssl', 'packer'],
    title: 'two',
    file: import.meta.filename,
  });
});

test.serial('with CI set, a missing tool fails the test, unless Debian does not have it', (t) => {
  const { declared, fake } = declarations();
  withEnvironment({ PATH: '/nowhere', CI: 'true', SKIPPED_TESTS: '' }, () => {
    needs(fake, 'openssl')('one', () => {});
    needs(fake, 'cfn-lint')('two', () => {});
  });
  t.deepEqual(declared, ['test: one', 'skip: two']);
});

test('an executable on PATH is an installed tool', (t) => {
  t.false(isInstalled('git', '/nowhere:/nor/here'));
  t.is(
    isInstalled('git'),
    (process.env['PATH'] ?? '').split(':').some((path) => isInstalled('git', path)),
  );
});

test('the report names skipped tests by tool, and what installs the tools', (t) => {
  const skipped = (title: string, ...tools: ToolName[]): SkippedTest => ({
    tools,
    title,
    file: '/checkout/test/a.test.ts',
  });
  const report = skippedReport([skipped('one', 'promtool'), skipped('two', 'git', 'cfn-lint')], '/checkout/');
  t.deepEqual(report, [
    '',
    '2 tests were skipped because programs are missing:',
    '  git, cfn-lint',
    '    test/a.test.ts: two',
    '  promtool',
    '    test/a.test.ts: one',
    'To run them:',
    '  apt-get install --no-install-recommends git prometheus',
    '  pip install cfn-lint',
  ]);
  t.deepEqual(skippedReport([], '/checkout/'), []);
});

test('tools of one package are installed once', (t) => {
  t.deepEqual(installCommands(['nsenter', 'setpriv']), ['apt-get install --no-install-recommends util-linux']);
});
