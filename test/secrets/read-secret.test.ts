import test, { type ExecutionContext } from 'ava';
import { CheckpointCipher } from '../../daemon/checkpoints/checkpoint-cipher.ts';
import { createLog } from '../../daemon/log/log.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { ManagedSecret } from '../../daemon/secrets/managed-secret.ts';
import type { Secret } from '../../daemon/secrets/secret.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { readSecret } from '../../daemon/secrets/secrets-manager.ts';
import { secretsManagerFor } from './secrets-manager-process.ts';

const TIMEOUT_MS = 30_000;

/** The SDK of this very process is led to a stand-in: one test at a time. */
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
  const { value, createdAtEpochMs } = await readSecret(arn, 'AWSCURRENT', TIMEOUT_MS);
  t.is(value, 'value');
  t.true(createdAtEpochMs <= Date.now() - 60_000);
});

test.serial('a Secrets Manager that says nothing is given up in time', async (t) => {
  const manager = await managerHere(t);
  const arn = await manager.put('a', { text: 'value' });
  await manager.setFaults({ hang: true, times: null });
  await t.throwsAsync(readSecret(arn, 'AWSCURRENT', 300), {
    name: 'SecretRefused',
    message: /cannot be read now: .*no answer within 300 ms/,
  });
});

test.serial('a process without credentials is told so', async (t) => {
  const manager = await managerHere(t);
  const { AWS_ACCESS_KEY_ID } = process.env;
  delete process.env['AWS_ACCESS_KEY_ID'];
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  t.teardown(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID }));
  const arn = await manager.put('a', { text: 'value' });
  await t.throwsAsync(readSecret(arn, 'AWSCURRENT', TIMEOUT_MS), { message: /without AWS credentials: give the inst/ });
});

test.serial(
  'one that is refused is looked up at once, then not for ten seconds; the value before counts for a while',
  async (t) => {
    const manager = await managerHere(t);
    const arn = await manager.put('a', { text: 'first-value' });
    const time = { nowMs: 1000, aheadMs: 0 };
    const clock = { ...systemClock, now: () => time.nowMs, epoch: () => systemClock.epoch() + time.aheadMs };
    const log = createLog('silent');
    const secret = await ManagedSecret.open({ setting: 'A', arn, faultOf: () => undefined, clock, log });
    t.deepEqual(secret.accepted, ['first-value']);

    await manager.put('a', { text: 'second-value' });
    await secret.renew();
    t.deepEqual(secret.accepted, ['second-value', 'first-value']);

    await manager.put('a', { text: 'third-value' });
    await secret.renew();
    t.is(secret.current, 'second-value');
    time.nowMs += 10_000;
    await secret.renew();
    t.deepEqual(secret.accepted, ['third-value', 'second-value']);

    time.aheadMs = 16 * 60_000;
    t.deepEqual(secret.accepted, ['third-value']);
  },
);

test('a checkpoint sealed before the key was changed can be opened after it, and with no other key', (t) => {
  const sealed = new CheckpointCipher(fixedSecret('key-before')).encrypt('what callers said');
  const changed: Secret = { current: 'key-after', accepted: ['key-after', 'key-before'], renew: async () => {} };
  const cipher = new CheckpointCipher(changed);
  t.is(cipher.decrypt(sealed), 'what callers said');
  t.is(cipher.decrypt(cipher.encrypt('more')), 'more');
  t.is(new CheckpointCipher(fixedSecret('key-after')).decrypt(cipher.encrypt('more')), 'more');
  t.throws(() => new CheckpointCipher(fixedSecret('key-after')).decrypt(sealed));
});
