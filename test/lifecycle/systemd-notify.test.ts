import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { systemdNotify } from '../../daemon/lifecycle/systemd-notify.ts';

/** A fake systemd-notify, which records its arguments and its environment. */
const RECORDS = `#!/bin/sh
IFS='|'
echo "$*" >"$0.args"
env >"$0.env"
`;
const FAILS = `#!/bin/sh
exit 1
`;

/** Sends two variables with `script` as systemd-notify; returns the error, if any, and what the script wrote. */
async function sent(t: ExecutionContext, script: string | undefined) {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-notify-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const program = join(directory, 'systemd-notify');
  if (script) {
    await writeFile(program, script);
    await chmod(program, 0o755);
  }
  const path = script ? [directory, process.env['PATH']].join(delimiter) : directory;
  const send = systemdNotify('/run/notify', path);
  const message = [
    ['READY', '1'],
    ['STATUS', '2 calls, $HOME'],
  ] as const;
  const error = await new Promise<Error | undefined>((resolve) => send(message, resolve));
  return { error, written: (what: string) => readFile(`${program}.${what}`, 'utf8') };
}

// Of this test file's own process.
process.env['DEEPGRAM_API_KEY'] = 'planted';

test('systemd-notify gets the variables as arguments, and nothing of our environment', async (t) => {
  const { error, written } = await sent(t, RECORDS);
  t.is(error, undefined);
  t.is(await written('args'), 'READY=1|STATUS=2 calls, $HOME\n');
  const names = (await written('env')).split('\n').map((line) => line.split('=')[0]);
  t.true(names.includes('NOTIFY_SOCKET'));
  t.false(names.includes('DEEPGRAM_API_KEY'));
});

test('a systemd-notify that fails or is missing is an error', async (t) => {
  t.regex((await sent(t, FAILS)).error?.message ?? '', /Command failed/);
  t.regex((await sent(t, undefined)).error?.message ?? '', /ENOENT/);
});
