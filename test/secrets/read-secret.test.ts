import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { CheckpointCipher } from '../../daemon/checkpoints/checkpoint-cipher.ts';
import { createLog } from '../../daemon/log/log.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import type { Secret } from '../../daemon/secrets/secret.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { openSecrets, SecretsUnread } from '../../daemon/secrets/secrets.ts';
import { readSecret } from '../../daemon/secrets/secrets-manager.ts';
import type { SecretOrder } from '../simulators/secrets-manager/client.ts';
import { NOWHERE } from '../support/loopback.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { secretsManagerFor } from './secrets-manager-process.ts';

const TIMEOUT_MS = 30_000;
/** The simulator reports nothing by itself. */
const POLL_MS = 20;

/** Points the SDK of this process at a simulator: one test at a time. */
async function managerHere(t: ExecutionContext, region?: string) {
  const { manager, env } = await secretsManagerFor(t, region);
  Object.assign(process.env, env);
  return manager;
}

test.serial('the region is the ARN’s, whatever region the process is in', async (t) => {
  const manager = await managerHere(t, 'eu-west-2');
  process.env['AWS_REGION'] = 'us-east-1';
  const arn = await manager.put('a', { text: '  value \n', ageMs: 60_000 });
  t.regex(arn, /eu-west-2/);
  const { value, createdAtEpochMs } = await readSecret(arn, 'AWSCURRENT', TIMEOUT_MS, systemClock);
  t.is(value, 'value');
  t.true(createdAtEpochMs <= Date.now() - 60_000);
});

test.serial('a Secrets Manager that does not respond times out', async (t) => {
  const manager = await managerHere(t);
  const clock = new VirtualClock();
  const arn = await manager.put('a', { text: 'value' });
  await manager.setFaults({ hang: true, times: null });
  const failed = t.throwsAsync(readSecret(arn, 'AWSCURRENT', 300, clock), {
    name: 'SecretRefused',
    message: /cannot be read now: .*no response within 300 ms/,
  });
  while ((await manager.requests()).length === 0) await sleep(POLL_MS);
  await clock.advance(300);
  await failed;
});

test.serial('missing credentials are named in the error', async (t) => {
  const manager = await managerHere(t);
  const { AWS_ACCESS_KEY_ID } = process.env;
  delete process.env['AWS_ACCESS_KEY_ID'];
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  t.teardown(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID }));
  const arn = await manager.put('a', { text: 'value' });
  const read = readSecret(arn, 'AWSCURRENT', TIMEOUT_MS, systemClock);
  await t.throwsAsync(read, { message: /without AWS credentials: give the inst/ });
});

/** What is wrong with the Deepgram key's secret, and the error that it must cause. */
const UNREADABLE: Record<string, [order: SecretOrder | undefined, expected: RegExp]> = {
  'has no value yet': [
    {},
    /has no value yet: run `aws secretsmanager put-secret-value --secret-id arn:\S+ --secret-string file:\/\/\/dev\/stdin`/,
  ],
  'is empty': [{ text: ' \n' }, /has no value yet/],
  'does not exist': [undefined, /secret:does-not-exist-AbCdEf does not exist: check the ARN/],
  'is not allowed': [
    { text: 'planted-key', allowed: false },
    /access to \S+ is denied: allow the role secretsmanager:GetSecretValue .*AccessDeniedException/,
  ],
  'is being deleted': [
    { text: 'planted-key', markedForDeletion: true },
    /cannot be read: InvalidRequestException: .*marked for deletion/,
  ],
  'holds JSON': [{ text: '{"key": "planted-key"}' }, /holds a JSON object: store the value alone/],
  'is binary': [{ bytes: Buffer.from('planted-key').toString('base64') }, /is binary: store text/],
  'holds no key': [{ text: 'planted key of words' }, /the value of arn:\S+ must be printable ASCII without spaces/],
};

test.serial('a secret that cannot be read is a line with the reason and the remedy, without the value', async (t) => {
  const manager = await managerHere(t);
  for (const [what, [order, expected]] of Object.entries(UNREADABLE)) {
    const name = what.replaceAll(' ', '-');
    if (order) await manager.put(name, order);
    const settings = { DEEPGRAM_API_KEY_SECRET_ARN: manager.arn(name), TRIGGER_SECRET: 'given-in-a-variable' };
    const opened = openSecrets(settings, systemClock, createLog('silent'));
    const { lines } = await t.throwsAsync(opened, { instanceOf: SecretsUnread });
    t.is(lines.length, 1);
    t.regex(lines[0] as string, /^DEEPGRAM_API_KEY_SECRET_ARN: [^\n]+$/);
    t.regex(lines[0] as string, expected);
    t.false(lines[0]?.includes('planted'));
  }
});

test.serial('all secrets that cannot be read are reported at once', async (t) => {
  process.env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] = `http://${NOWHERE}`;
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret-of-the-test';
  const arn = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;
  const settings = { DEEPGRAM_API_KEY_SECRET_ARN: arn('key'), TRIGGER_SECRET_ARN: arn('trigger') };
  const opened = openSecrets(settings, systemClock, createLog('silent'));
  const { lines } = await t.throwsAsync(opened, { instanceOf: SecretsUnread });
  t.is(lines.length, 2);
  for (const line of lines) t.regex(line, /cannot be read now: check DNS and the route to .*ECONNREFUSED/);
});

test('a checkpoint encrypted before the key changed can be decrypted after it, and with no other key', (t) => {
  const sealed = new CheckpointCipher(fixedSecret('key-before')).encrypt('what callers said');
  const changed: Secret = { current: 'key-after', accepted: ['key-after', 'key-before'], renew: async () => {} };
  const cipher = new CheckpointCipher(changed);
  t.is(cipher.decrypt(sealed), 'what callers said');
  t.is(cipher.decrypt(cipher.encrypt('more')), 'more');
  t.is(new CheckpointCipher(fixedSecret('key-after')).decrypt(cipher.encrypt('more')), 'more');
  t.throws(() => new CheckpointCipher(fixedSecret('key-after')).decrypt(sealed));
});
