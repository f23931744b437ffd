import test from 'ava';
import { createLog } from '../../daemon/log/log.ts';
import { ManagedSecret, type ReadSecret } from '../../daemon/secrets/managed-secret.ts';
import { SecretRefused } from '../../daemon/secrets/secret-refused.ts';
import type { SecretVersion } from '../../daemon/secrets/secrets-manager.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const MINUTE_MS = 60_000;

/** A managed secret whose versions are an array, newest last; `secret` opens it. */
function stage() {
  const clock = new VirtualClock();
  const versions: SecretVersion[] = [];
  const reads: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (text) => lines.push(JSON.parse(text) as Record<string, unknown>) });
  const fails: { with: Error | undefined } = { with: undefined };
  const read: ReadSecret = async (_arn, label) => {
    if (label === 'AWSCURRENT') reads.push(label);
    if (fails.with) throw fails.with;
    const version = versions.at(label === 'AWSCURRENT' ? -1 : -2);
    if (!version) throw new SecretRefused('secret-empty', 'there is no such version');
    return version;
  };
  const faultOf = (value: string) => (value === 'bad-value' ? 'is bad' : undefined);
  return {
    clock,
    log,
    lines,
    reads,
    fails,
    put: (value: string) => versions.push({ value, createdAtEpochMs: clock.epoch() }),
    open: () => ManagedSecret.open({ setting: 'A_SECRET_ARN', arn: 'arn:secret', faultOf, read, clock, log }),
    events: () => lines.map(({ event }) => event),
  };
}

test('a changed secret is noticed within five minutes, and logged without its value', async (t) => {
  const { clock, lines, put, open } = stage();
  put('first-value');
  const secret = await open();
  t.is(secret.current, 'first-value');
  put('second-value');
  await clock.advance(5 * MINUTE_MS - 1);
  t.is(secret.current, 'first-value');
  await clock.advance(1);
  await clock.settle();
  t.is(secret.current, 'second-value');
  t.like(lines[0], { level: 'info', event: 'secret.changed', setting: 'A_SECRET_ARN' });
  await clock.advance(60 * MINUTE_MS);
  t.is(lines.length, 1);
});

test('the previous value is accepted for 15 minutes after the change', async (t) => {
  const { clock, put, open } = stage();
  put('first-value');
  const secret = await open();
  t.deepEqual(secret.accepted, ['first-value']);
  await clock.advance(MINUTE_MS);
  put('second-value');
  await secret.renew();
  t.deepEqual(secret.accepted, ['second-value', 'first-value']);
  await clock.advance(15 * MINUTE_MS - 1);
  t.deepEqual(secret.accepted, ['second-value', 'first-value']);
  await clock.advance(1);
  t.deepEqual(secret.accepted, ['second-value']);
});

test('a value that was replaced long before the start is not accepted', async (t) => {
  const { clock, put, open } = stage();
  put('first-value');
  put('second-value');
  await clock.advance(15 * MINUTE_MS);
  t.deepEqual((await open()).accepted, ['second-value']);
});

test('refusals read the secret at once, and at most every 10 s', async (t) => {
  const { clock, put, open, reads } = stage();
  put('first-value');
  const secret = await open();
  put('second-value');
  await Promise.all(Array.from({ length: 12 }, () => secret.renew()));
  t.is(secret.current, 'second-value');
  t.is(reads.length, 2);

  put('third-value');
  await clock.advance(9999);
  await secret.renew();
  t.is(secret.current, 'second-value');
  await clock.advance(1);
  await secret.renew();
  t.deepEqual(secret.accepted, ['third-value', 'second-value']);
  t.is(reads.length, 3);
});

test('a read that fails keeps the value, reports the reason, and is repeated', async (t) => {
  const { clock, put, open, fails, lines, events } = stage();
  put('first-value');
  const secret = await open();
  put('second-value');
  fails.with = new SecretRefused('secret-unreachable', 'cannot be read now');
  await secret.renew();
  t.deepEqual(secret.accepted, ['first-value']);
  t.is(secret.fault, 'cannot be read now');
  t.like(lines[0], { level: 'warn', event: 'secret.unread', setting: 'A_SECRET_ARN' });

  fails.with = undefined;
  await clock.advance(5 * MINUTE_MS);
  await clock.settle();
  t.is(secret.current, 'second-value');
  t.is(secret.fault, undefined);
  t.deepEqual(events(), ['secret.unread', 'secret.changed']);
});

test('an unusable new value is refused, and the last one stays', async (t) => {
  const { put, open } = stage();
  put('first-value');
  const secret = await open();
  put('bad-value');
  await secret.renew();
  t.deepEqual(secret.accepted, ['first-value']);
  t.is(secret.fault, 'the value of arn:secret is bad');
});

test('every value that was read is masked in the log', async (t) => {
  const { put, open, log } = stage();
  put('first-value');
  put('second-value');
  await open();
  t.is(log.redactor.clean('first-value and second-value'), '*** and ***');
});
