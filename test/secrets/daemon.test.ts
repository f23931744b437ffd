import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { Program } from '../support/process.ts';
import { ask } from '../system/control.ts';
import { API_KEY, Stage } from '../system/stage.ts';
import { secretsManagerFor } from './secrets-manager-process.ts';

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

/** Checks everything that the daemon wrote or showed. */
async function showsNoSecret(t: ExecutionContext, { stage, control }: Awaited<ReturnType<typeof daemonWith>>) {
  const shown = await Promise.all(['/v1/config', '/v1/status', '/v1/doctor', '/v1/sessions'].map(control));
  const all = JSON.stringify([stage.daemon.lines, shown]) + stage.daemon.stderr;
  for (const secret of [API_KEY, SECRET, NEW_SECRET, OLD_KEY]) t.false(all.includes(secret), secret);
}

// One test at a time: each has four processes of its own.
test.serial('a daemon with secrets in Secrets Manager survives a change of both, and shows them nowhere', async (t) => {
  const daemon = await daemonWith(t, OLD_KEY);
  const { manager, stage, call, control } = daemon;
  const request = await call();
  t.like(await stage.start(request), { status: 401, body: { reason: 'missing-signature' } });
  await manager.put('deepgram-key', { text: API_KEY });
  await manager.put('trigger-secret', { text: NEW_SECRET });
  t.is((await stage.start(request, { secret: NEW_SECRET })).status, 200);
  t.like(await stage.ended(request.contactId), { outcome: 'completed', audioMs: 1000 });
  t.is((await stage.start(await call(), { secret: SECRET })).status, 200);
  const changed = stage.daemon.lines.filter(({ event }) => event === 'secret.changed').map(({ setting }) => setting);
  t.deepEqual(changed.toSorted(), ['DEEPGRAM_API_KEY_SECRET_ARN', 'TRIGGER_SECRET_ARN']);
  const { settings } = (await control('/v1/config')).body;
  t.like(settings, { DEEPGRAM_API_KEY: 'in Secrets Manager', TRIGGER_SECRET: 'in Secrets Manager' });
  t.false((await control('/v1/status')).body.unsignedStarts);
  await showsNoSecret(t, daemon);
});

test.serial('an outage of Secrets Manager while the daemon runs only causes a warning', async (t) => {
  const daemon = await daemonWith(t, API_KEY);
  const { manager, stage, call, control } = daemon;
  await manager.setFaults({ status: 503, times: null });
  t.like(await stage.start(await call(), { secret: 'some-other-secret' }), { status: 401 });
  t.like(await stage.daemon.line(({ event }) => event === 'secret.unread'), { level: 'warn' });
  t.is((await stage.start(await call(), { secret: SECRET })).status, 200);
  const { checks } = (await control('/v1/doctor')).body;
  const verdictOf = (wanted: string) => checks.find(({ name }: { name: string }) => name === wanted);
  t.like(verdictOf('secret TRIGGER_SECRET_ARN'), { verdict: 'warn' });
  t.regex(verdictOf('secret TRIGGER_SECRET_ARN').detail, /cannot be read now/);
  await showsNoSecret(t, daemon);
});

test.serial(
  'a secret that cannot be read ends the process with a line and code 1, so that systemd retries',
  async (t) => {
    const { manager, env } = await secretsManagerFor(t);
    const arn = await manager.put('deepgram-key', {});
    const settings = { AWS_REGION: 'us-east-1', PORT: '0', HOST: '127.0.0.1', DEEPGRAM_API_KEY_SECRET_ARN: arn };
    const daemon = new Program('daemon/main.ts', [], { ...env, ...settings });
    t.is(await daemon.exited, 1);
    t.regex(daemon.stderr, /^integratord: DEEPGRAM_API_KEY_SECRET_ARN: [^\n]+ has no value yet: [^\n]+\n$/);
  },
);
