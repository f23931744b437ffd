import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';
import { NOWHERE } from '../support/loopback.ts';
import { atDesk, Screen } from './terminal.ts';

/** An instance whose daemon does not run: its settings file and credentials. */
async function instance(t: ExecutionContext, settings: Record<string, string>) {
  const etc = await mkdtemp(join(tmpdir(), 'etc-'));
  t.teardown(() => rm(etc, { recursive: true }));
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(etc, 'integratord.env'), `# comment\n${lines.join('\n')}\n`);
  await mkdir(join(etc, 'credentials'));
  const key = join(etc, 'credentials/deepgram-api-key');
  await writeFile(key, 'planted-key');
  await chmod(key, 0o600);
  const env = { ...BARE_ENVIRONMENT, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  const run = async (...args: string[]) => {
    const screen = new Screen({ isTTY: false });
    const { code, stderr } = await atDesk(args, { socketPath: join(etc, 'none.sock'), etc, env, screen });
    return { code, stdout: screen.text, stderr: stderr.text };
  };
  return { etc, run };
}

const UNREACHABLE = {
  AWS_REGION: 'us-east-1',
  DEEPGRAM_API: `ws://${NOWHERE}`,
  AWS_ENDPOINT_URL: `http://${NOWHERE}`,
};

test('doctor checks a daemon that does not run: settings, port, state directory, Deepgram and Kinesis', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { etc, run } = await instance(t, {
    ...UNREACHABLE,
    HOST: '127.0.0.1',
    PORT: String(port),
    STATE_DIR: '/dev/null/state',
  });
  const { code, stdout, stderr } = await run('doctor');
  t.is(code, 1);
  t.regex(stderr, /is not listening on .*;\s+checking what it would need/);
  t.regex(stdout, /^FAIL +deepgram +Deepgram at 127\.0\.0\.1:9 cannot be reached/m);
  t.regex(stdout, /^FAIL +kinesis video /m);
  t.regex(stdout, new RegExp(`^FAIL +port +cannot listen on 127.0.0.1:${port}: another process listens on it`, 'm'));
  t.regex(stdout, /^FAIL +state directory /m);
  t.regex(stdout, new RegExp(`^OK +control socket +${etc}/none.sock is free$`, 'm'));
  t.regex(stdout, /-> set TRIGGER_SECRET/);
  t.notRegex(stdout + stderr, /planted-key/);
});

test('config shows what a daemon that does not run would start with', async (t) => {
  const { run } = await instance(t, { ...UNREACHABLE, MAX_SESSIONS: '42', PORT: '0' });
  const { code, stdout } = await run('config');
  t.is(code, 0);
  t.regex(stdout, /^MAX_SESSIONS +42$/m);
  t.regex(stdout, /^DEEPGRAM_API_KEY +set$/m);
});

test('invalid settings are a failed check that names them', async (t) => {
  const { run } = await instance(t, { ...UNREACHABLE, MAX_SESSIONS: 'many' });
  const { code, stdout } = await run('doctor');
  t.is(code, 1);
  t.regex(stdout, /^FAIL +settings +MAX_SESSIONS must be a whole number/m);
  t.regex((await run('config')).stderr, /the settings are invalid: MAX_SESSIONS must be/);
});
