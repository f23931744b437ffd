import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EXIT_CONFIG } from '../../daemon/config.ts';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import type { SecretOrder } from '../simulators/secrets-manager/client.ts';
import { Program } from '../support/process.ts';
import { ask } from '../system/control.ts';
import { API_KEY, Stage } from '../system/stage.ts';
import { secretsManagerFor } from './secrets-manager-process.ts';

// One test at a time: each has four processes of its own.
const SECRET = 'planted-secret-of-the-trigger';
const NEW_SECRET = 'planted-secret-after-the-change';
const OLD_KEY = 'planted-key-before-the-change';

/** A daemon whose secrets are in Secrets Manager, with its control socket. */
async function daemonWith(t: ExecutionContext, deepgramKey: string) {
  const { manager, env } = await secretsManagerFor(t);
  const directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  const socket = join(directory, 'control.sock');
  const stage = await Stage.open({
    env: {
      ...env,
      DEEPGRAM_API_KEY: '',
      DEEPGRAM_API_KEY_SECRET_ARN: await manager.put('deepgram-key', { text: `${deepgramKey}\n` }),
      TRIGGER_SECRET_ARN: await manager.put('trigger-secret', { text: SECRET }),
      CONTROL_SOCKET: socket,
    },
  });
  t.teardown(async () => {
    await stage.close();
    await rm(directory, { recursive: true, force: true });
  });
  const call = () => stage.call({ customer: bytesOf(distinctSamples(8000)) });
  return { manager, stage, call, control: (path: string) => ask(socket, 'GET', path) };
}

/** All that the daemon has written and shown must be without the values. */
async function holdsNoSecret(t: ExecutionContext, { stage, control }: Awaited<ReturnType<typeof daemonWith>>) {
  const shown = await Promise.all(['/v1/config', '/v1/status', '/v1/doctor', '/v1/sessions'].map(control));
  const all = JSON.stringify([stage.daemon.lines, shown]) + stage.daemon.stderr;
  for (const secret of [API_KEY, SECRET, NEW_SECRET, OLD_KEY]) t.false(all.includes(secret), secret);
}

test.serial('a daemon whose secrets are in Secrets Manager transcribes, and shows them nowhere', async (t) => {
  const daemon = await daemonWith(t, API_KEY);
  const { stage, call, control } = daemon;
  const request = await call();
  t.like(await stage.start(request), { status: 401, body: { reason: 'missing-signature' } });
  t.is((await stage.start(request, { secret: SECRET })).status, 200);
  t.like(await stage.ended(request.contactId), { outcome: 'completed', audioMs: 1000 });
  const { settings } = (await control('/v1/config')).body;
  t.like(settings, { DEEPGRAM_API_KEY: 'in Secrets Manager', TRIGGER_SECRET: 'in Secrets Manager' });
  t.false((await control('/v1/status')).body.unsignedStarts);
  await holdsNoSecret(t, daemon);
});

test.serial('a changed trigger secret counts at once, and the one before it still does', async (t) => {
  const daemon = await daemonWith(t, API_KEY);
  const { manager, stage, call } = daemon;
  await manager.put('trigger-secret', { text: NEW_SECRET });
  t.is((await stage.start(await call(), { secret: NEW_SECRET })).status, 200);
  t.like(await stage.daemon.line(({ event }) => event === 'secret.changed'), { setting: 'TRIGGER_SECRET_ARN' });
  t.is((await stage.start(await call(), { secret: SECRET })).status, 200);
  t.like(await stage.start(await call(), { secret: 'some-other-secret' }), { status: 401 });
  await holdsNoSecret(t, daemon);
});

test.serial('a trigger secret that was changed long ago is the only one that counts', async (t) => {
  const { manager, stage, call } = await daemonWith(t, API_KEY);
  await manager.put('trigger-secret', { text: NEW_SECRET, ageMs: 16 * 60_000 });
  t.is((await stage.start(await call(), { secret: NEW_SECRET })).status, 200);
  t.like(await stage.start(await call(), { secret: SECRET }), { status: 401, body: { reason: 'bad-signature' } });
});

test.serial('wrong signatures by the dozen make the daemon ask Secrets Manager once', async (t) => {
  const { manager, stage, call } = await daemonWith(t, API_KEY);
  const request = await call();
  const before = (await manager.requests()).length;
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => stage.start(request, { secret: `wrong-${n}` })),
  );
  t.true(answers.every(({ status }) => status === 401));
  const looks = (await manager.requests()).slice(before).filter(({ stage: label }) => label === 'AWSCURRENT');
  t.is(looks.length, 1);
});

test.serial(
  'a Deepgram key that was changed is looked up when Deepgram refuses the old one, and the start succeeds',
  async (t) => {
    const daemon = await daemonWith(t, OLD_KEY);
    const { manager, stage, call, control } = daemon;
    await manager.put('deepgram-key', { text: API_KEY });
    const request = await call();
    t.is((await stage.start(request, { secret: SECRET })).status, 200);
    t.like(await stage.ended(request.contactId), { outcome: 'completed', audioMs: 1000 });
    const { checks } = (await control('/v1/doctor')).body;
    t.is(checks.find(({ name }: { name: string }) => name === 'secret DEEPGRAM_API_KEY_SECRET_ARN').verdict, 'ok');
    await holdsNoSecret(t, daemon);
  },
);

test.serial('a Secrets Manager that is lost while the daemon runs costs nothing but a warning', async (t) => {
  const daemon = await daemonWith(t, API_KEY);
  const { manager, stage, call, control } = daemon;
  await manager.setFaults({ status: 503, times: null });
  t.like(await stage.start(await call(), { secret: 'some-other-secret' }), { status: 401 });
  t.like(await stage.daemon.line(({ event }) => event === 'secret.unread'), { level: 'warn' });
  t.is((await stage.start(await call(), { secret: SECRET })).status, 200);
  const { checks } = (await control('/v1/doctor')).body;
  const check = checks.find(({ name }: { name: string }) => name === 'secret TRIGGER_SECRET_ARN');
  t.is(check.verdict, 'warn');
  t.regex(check.detail, /cannot be read now/);
  await holdsNoSecret(t, daemon);
});

/** A secret for the Deepgram key, spoilt, and the one line that the daemon must end with. */
const UNREADABLE: Record<string, [order: SecretOrder | undefined, says: RegExp]> = {
  'has no value yet': [
    {},
    /secret:key-AbCdEf has no value yet: run `aws secretsmanager put-secret-value --secret-id arn:\S+ --secret-string file:\/\/\/dev\/stdin`/,
  ],
  'is empty': [{ text: ' \n' }, /has no value yet/],
  'does not exist': [undefined, /secret:key-AbCdEf does not exist: check the ARN/],
  'may not be read': [
    { text: 'planted-key', allowed: false },
    /may not be read: allow the role secretsmanager:GetSecretValue .*AccessDeniedException/,
  ],
  'is being deleted': [
    { text: 'planted-key', markedForDeletion: true },
    /cannot be read: InvalidRequestException: .*marked for deletion/,
  ],
  'holds JSON': [{ text: '{"key": "planted-key"}' }, /holds a JSON object: store the value alone/],
  'holds bytes': [{ bytes: Buffer.from('planted-key').toString('base64') }, /holds bytes: store text/],
  'holds no key': [{ text: 'planted key of words' }, /the value of arn:\S+ must be printable ASCII without spaces/],
};

/** Starts a daemon that must end with one line and code 1, after which systemd tries again; gives the line. */
async function failsToStart(t: ExecutionContext, arn: string, env: Record<string, string>): Promise<string> {
  const settings = { AWS_REGION: 'us-east-1', PORT: '0', HOST: '127.0.0.1', DEEPGRAM_API_KEY_SECRET_ARN: arn };
  const daemon = new Program('daemon/main.ts', [], { ...env, ...settings });
  t.is(await daemon.exited, 1);
  t.regex(daemon.stderr, /^integratord: DEEPGRAM_API_KEY_SECRET_ARN: [^\n]+\n$/);
  t.false((JSON.stringify(daemon.lines) + daemon.stderr).includes('planted'));
  return daemon.stderr;
}

test.serial('a key that cannot be read ends the start with a line that says why and what to do', async (t) => {
  const { manager, env } = await secretsManagerFor(t);
  for (const [what, [order, says]] of Object.entries(UNREADABLE)) {
    const name = `${what.replaceAll(' ', '-')}-key`;
    if (order) await manager.put(name, order);
    t.regex(
      await failsToStart(t, manager.arn(name), env),
      new RegExp(says.source.replace('secret:key', `secret:${name}`)),
    );
  }
});

test.serial('a Secrets Manager that cannot be reached ends the start with such a line too', async (t) => {
  const credentials = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-of-the-role' };
  const env = { ...credentials, AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9' };
  const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf';
  t.regex(await failsToStart(t, arn, env), /cannot be read now: check DNS and the way out .*ECONNREFUSED/);
});

test.serial('an ARN of something else ends the start with 78: trying again would not help', async (t) => {
  const env = {
    AWS_REGION: 'us-east-1',
    DEEPGRAM_API_KEY_SECRET_ARN: 'arn:aws:ssm:us-east-1:123456789012:parameter/key',
  };
  const daemon = new Program('daemon/main.ts', [], env);
  t.is(await daemon.exited, EXIT_CONFIG);
  t.regex(daemon.stderr, /^integratord: DEEPGRAM_API_KEY_SECRET_ARN must be the ARN of a secret in Secrets Manager/);
});
