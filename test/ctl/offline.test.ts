import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';
import { NOWHERE } from '../support/loopback.ts';
import { canTryAsNobody, NOBODY } from './nobody.ts';
import { atDesk, Screen } from './terminal.ts';

/**
 * An instance whose daemon does not run: its settings file, with `lines` at its end, and credentials. `env` is what the
 * operator's shell adds.
 */
async function instance(
  t: ExecutionContext,
  settings: Record<string, string>,
  { credentials = {}, lines = [], env = {} }: Partial<Additions> = {},
) {
  const etc = await mkdtemp(join(tmpdir(), 'etc-'));
  t.teardown(() => rm(etc, { recursive: true }));
  const all = [...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ...lines];
  await writeFile(join(etc, 'integratord.env'), `# comment\n${all.join('\n')}\n`);
  await mkdir(join(etc, 'credentials'));
  for (const [name, value] of Object.entries({ 'deepgram-api-key': 'planted-key', ...credentials })) {
    const file = join(etc, 'credentials', name);
    await writeFile(file, value);
    await chmod(file, 0o600);
  }
  const socketPath = join(etc, 'none.sock');
  const run = async (...args: string[]) => {
    const screen = new Screen({ isTTY: false });
    const desk = { socketPath, etc, env: { ...BARE_ENVIRONMENT, ...env }, screen };
    const { code, stderr } = await atDesk(args, desk);
    return { code, stdout: screen.text, stderr: stderr.text };
  };
  return { etc, socketPath, run };
}

interface Additions {
  readonly credentials: Record<string, string>;
  readonly lines: readonly string[];
  readonly env: Record<string, string>;
}

const UNREACHABLE = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 'b',
  DEEPGRAM_API: `ws://${NOWHERE}`,
  AWS_ENDPOINT_URL: `http://${NOWHERE}`,
};

test('doctor checks a daemon that does not run: settings, port, state directory, Deepgram and Kinesis', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { run } = await instance(t, {
    ...UNREACHABLE,
    HOST: '127.0.0.1',
    PORT: String(port),
    STATE_DIR: '/dev/null/state',
    CONTROL_SOCKET: '/tmp/integratord-none.sock',
  });
  const { code, stdout, stderr } = await run('doctor');
  t.is(code, 1);
  t.regex(stderr, /is not listening on .*;\s+checking what it would need/);
  t.regex(stdout, /^FAIL +deepgram +Deepgram at 127\.0\.0\.1:9 cannot be reached/m);
  t.regex(stdout, /^FAIL +kinesis video /m);
  t.regex(stdout, new RegExp(`^FAIL +port +cannot listen on 127.0.0.1:${port}: another process listens on it`, 'm'));
  t.regex(stdout, /^FAIL +state directory +\/dev\/null is not a directory$/m);
  t.regex(stdout, /^OK +control socket +\/tmp\/integratord-none\.sock is free$/m);
  t.notRegex(stdout, /file limit/, 'the unit has its own');
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

test('every credential of the unit counts, and nothing of the operator’s shell', async (t) => {
  const RESULTS_WEBHOOK = 'https://consumer.example.com/hook';
  const credentials = {
    'trigger-secret': 'planted-secret',
    'state-key': 'planted-state-key',
    'results-secret': `whsec_${Buffer.alloc(32, 'key').toString('base64')}`,
    'https-proxy': 'http://user:planted@127.0.0.1:3128',
  };
  const env = { MAX_SESSIONS: '7', STATE_DIR: '/tmp/mine', DEEPGRAM_API_KEY: 'mine' };
  const { run } = await instance(t, { ...UNREACHABLE, RESULTS_WEBHOOK }, { credentials, env });
  const { code, stdout, stderr } = await run('config');
  t.is(code, 0, stderr);
  for (const name of ['DEEPGRAM_API_KEY', 'TRIGGER_SECRET', 'STATE_KEY', 'RESULTS_SECRET']) {
    t.regex(stdout, new RegExp(`^${name} +set$`, 'm'));
  }
  t.regex(stdout, /^HTTPS_PROXY +http:\/\/\*\*\*@127\.0\.0\.1:3128/m);
  t.regex(stdout, /^MAX_SESSIONS +500$/m);
  t.regex(stdout, /^STATE_DIR +\/var\/lib\/integratord$/m);
  t.notRegex(stdout, /planted/);
});

test('a fault in a credential is found', async (t) => {
  const { run } = await instance(t, UNREACHABLE, { credentials: { 'state-key': 'short' } });
  t.regex((await run('doctor')).stdout, /^FAIL +settings +STATE_KEY must have at least 16 characters$/m);
});

test('a comment after a value is part of it, as for systemd, and doctor explains that', async (t) => {
  const { run } = await instance(t, UNREACHABLE, { lines: ['MAX_SESSIONS=300 # two thirds'] });
  const { code, stdout } = await run('doctor');
  t.is(code, 1);
  t.regex(stdout, /^FAIL +settings +MAX_SESSIONS must be a whole number/m);
  t.regex(
    stdout,
    /^WARN +settings file +\S+ has a # in MAX_SESSIONS, which for systemd is part of the value\n.*-> give/m,
  );
  t.regex((await run('config')).stderr, /settings file: \S+ has a # in MAX_SESSIONS/);
});

test('lines that systemd ignores are a warning', async (t) => {
  const { run } = await instance(t, UNREACHABLE, { lines: ['export MAX_SESSIONS=300', 'nonsense'] });
  const { code, stdout, stderr } = await run('config');
  t.is(code, 0);
  t.regex(stdout, /^MAX_SESSIONS +500$/m);
  t.regex(stderr, /settings file: systemd ignores lines 7, 8 of \S+integratord\.env\n/);
});

test('a file of settings that is not UTF-8 is named', async (t) => {
  const { etc, run } = await instance(t, UNREACHABLE);
  await writeFile(join(etc, 'integratord.env'), Buffer.from([0x41, 0x3d, 0xff]));
  const { code, stderr } = await run('doctor');
  t.is(code, 1);
  t.regex(stderr, /integratord\.env is not UTF-8, so systemd ignores all of it; save it as UTF-8$/m);
});

test('a secret that cannot be read is a failed check, and config shows the rest', async (t) => {
  const TRIGGER_SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:trigger-AbCdEf';
  const { run } = await instance(t, { ...UNREACHABLE, TRIGGER_SECRET_ARN });
  const { code, stdout, stderr } = await run('doctor');
  t.is(code, 1);
  t.regex(stdout, /^FAIL +secret TRIGGER_SECRET_ARN +arn:\S+ cannot be read now: check DNS and the route/m);
  t.regex(stderr, /checks failed: .*secret TRIGGER_SECRET_ARN.*; see the remedies above\n$/);
  t.regex(stdout, /^OK +control socket /m, 'what needs no secret is checked');
  const config = await run('config');
  t.is(config.code, 0);
  t.regex(config.stderr, /secret TRIGGER_SECRET_ARN: arn:\S+ cannot\s+be\s+read now/);
  t.regex(config.stdout, /^TRIGGER_SECRET +in Secrets Manager$(.|\n)*^MAX_SESSIONS +500$/m);
});

test('a check creates and removes nothing, not even a socket that a killed daemon left behind', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'state-'));
  t.teardown(() => rm(directory, { recursive: true }));
  await chmod(directory, 0o777);
  const [STATE_DIR, CONTROL_SOCKET] = [join(directory, 'a/b'), join(directory, 'control.sock')];
  const killed = createServer().listen(join(directory, 'listened.sock'));
  await once(killed, 'listening');
  await link(join(directory, 'listened.sock'), CONTROL_SOCKET);
  killed.close();
  await once(killed, 'close');
  const { run } = await instance(t, { ...UNREACHABLE, STATE_DIR, CONTROL_SOCKET });
  const { stdout } = await run('doctor');
  t.regex(stdout, /^OK +control socket +\S+ is free$/m);
  t.regex(stdout, /^WARN +state directory +\S+\/a\/b can be created, but not from within the unit/m);
  t.deepEqual(await readdir(directory), ['control.sock']);
});

test('what takes the place of the control socket fails the check', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'state-'));
  t.teardown(() => rm(directory, { recursive: true }));
  await chmod(directory, 0o777);
  const CONTROL_SOCKET = join(directory, 'control.sock');
  const { run } = await instance(t, { ...UNREACHABLE, CONTROL_SOCKET });
  await writeFile(CONTROL_SOCKET, '');
  t.regex((await run('doctor')).stdout, /^FAIL +control socket +\S+ is not a socket$/m);
  await rm(CONTROL_SOCKET);
  const other = createServer().listen(CONTROL_SOCKET);
  await once(other, 'listening');
  t.teardown(() => other.close());
  await chmod(CONTROL_SOCKET, 0o777);
  t.regex((await run('doctor')).stdout, /^FAIL +control socket +another process listens on \S+/m);
});

/** integratorctl with settings from `etc`, as another user. */
const AS_USER = `
  import { runCtl } from ${JSON.stringify(new URL('../../daemon/ctl/run.ts', import.meta.url))};
  import { systemClock } from ${JSON.stringify(new URL('../../daemon/runtime/clock.ts', import.meta.url))};
  const { env, stdin, stdout, stderr } = process;
  const stop = new AbortController().signal;
  process.exitCode = await runCtl([env.COMMAND], { env, stdin, stdout, stderr, clock: systemClock, etc: env.ETC, stop });
`;

(canTryAsNobody ? test : test.skip)('a credential that only root can read is not missing: exit code 7', async (t) => {
  const { etc, socketPath } = await instance(t, UNREACHABLE);
  await chmod(etc, 0o755);
  for (const mode of [0o755, 0o700]) {
    await chmod(join(etc, 'credentials'), mode);
    for (const COMMAND of ['doctor', 'config']) {
      const env = { ...BARE_ENVIRONMENT, ETC: etc, CONTROL_SOCKET: socketPath, COMMAND };
      const child = spawn(process.execPath, ['--input-type=module', '--eval', AS_USER], { uid: NOBODY, env });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      t.deepEqual([code, stdout], [7, '']);
      t.regex(stderr, /\nintegratorctl: no permission to read \S+\/deepgram-api-key; use sudo\n$/);
    }
  }
});
