import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { SETTING_NAMES } from '../../daemon/contract/settings.ts';
import { EXIT_MEANINGS } from '../../daemon/ctl/exit-codes.ts';
import { needs } from '../support/tools.ts';

const MAN = fileURLToPath(new URL('../../daemon/ctl/docs/man.ts', import.meta.url));
const PAGES = ['integratorctl.1', 'integratord.8'];

async function pages(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ctl-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const { status, stderr } = spawnSync(process.execPath, [MAN, directory], { encoding: 'utf8' });
  t.deepEqual([status, stderr], [0, '']);
  return directory;
}

test('the pages have the sections of a man page, and no line that roff would mistake for a request', async (t) => {
  const directory = await pages(t);
  for (const name of PAGES) {
    const lines = (await readFile(join(directory, name), 'utf8')).trimEnd().split('\n');
    t.regex(lines[0] ?? '', /^\.TH INTEGRATOR(CTL 1|D 8) "" "integratord \d/);
    for (const part of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'ENVIRONMENT', 'FILES', 'SEE ALSO']) {
      t.true(lines.includes(`.SH ${part}`), `${name} ${part}`);
    }
    for (const line of lines) t.regex(line, /^(\.(TH|SH|SS|PP|TP|RS|RE|nf|fi|nh|ad)\b|[^.'])/, `${name}: ${line}`);
  }
});

test('integratorctl(1) has every command, option and exit code', async (t) => {
  const page = await readFile(join(await pages(t), 'integratorctl.1'), 'utf8');
  const COMMANDS =
    'sessions list,sessions show,sessions watch,sessions stop,status,drain,cordon,uncordon,results status,results retry,doctor,config,log-level,page,version,completion';
  for (const command of COMMANDS.split(',')) {
    // Man pages write a hyphen as a minus.
    const name = RegExp.escape(command.replaceAll('-', '\\-'));
    t.regex(page, new RegExp(`^\\.SS "integratorctl ${name}\\b`, 'm'));
  }
  for (const option of [
    'json',
    'no\\-header',
    'socket <path>',
    'deadline <duration>',
    'no\\-deadline',
    'cancel',
    'yes',
  ]) {
    t.true(page.includes(`\\fB\\-\\-${option}\\fR`), option);
  }
  for (const { code } of EXIT_MEANINGS) t.true(page.includes(`.TP\n\\fB${code}\\fR\n`), String(code));
});

test('integratord(8) has every setting', async (t) => {
  const page = await readFile(join(await pages(t), 'integratord.8'), 'utf8');
  for (const name of SETTING_NAMES) t.true(page.includes(`\n.TP\n\\fB${name}\\fR\n`), name);
});

needs(test, 'groff')('groff renders the pages without a warning', async (t) => {
  const directory = await pages(t);
  for (const name of PAGES) {
    const args = ['-man', '-Tutf8', '-Kutf8', '-ww', join(directory, name)];
    const { status, stdout, stderr } = spawnSync('groff', args, { encoding: 'utf8' });
    t.deepEqual([status, stderr], [0, ''], name);
    t.regex(stdout, /INTEGRATOR(CTL\(1\)|D\(8\))/);
  }
});
