import { randomBytes } from 'node:crypto';
import test from 'ava';
import { createLog } from '../../daemon/log/log.ts';
import { ManagedSecret, type ReadSecret } from '../../daemon/secrets/managed-secret.ts';
import { NotOpened, Sealing } from '../../daemon/secrets/sealing.ts';
import { fixedSecret, type Secret } from '../../daemon/secrets/secret.ts';
import { SecretRefused } from '../../daemon/secrets/secret-refused.ts';
import { keysIn, webhookSecretsIn } from '../../daemon/secrets/webhook-secrets.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const WORDS = Buffer.from('what callers said');
const DAY_MS = 24 * 3_600_000;

test('sealed bytes hide what they hold, and open only with the key, purpose and context they were sealed with', (t) => {
  const sealing = new Sealing([fixedSecret('a key')], 'results');
  const context = Buffer.from('context');
  const sealed = sealing.seal(WORDS, context);
  t.false(sealed.includes('callers'));
  t.notDeepEqual(sealing.seal(WORDS, context), sealed);
  t.deepEqual(sealing.open(sealed, context), WORDS);
  t.throws(() => sealing.open(sealed), { instanceOf: NotOpened });
  t.throws(() => sealing.open(Buffer.from('short')), { instanceOf: NotOpened });
  t.throws(() => new Sealing([fixedSecret('a key')], 'checkpoint').open(sealed, context), { instanceOf: NotOpened });
  t.throws(() => new Sealing([fixedSecret('another')], 'results').open(sealed, context), { instanceOf: NotOpened });
  for (let at = 0; at < sealed.length; at++) {
    const modified = Buffer.from(sealed);
    modified[at] = (modified[at] as number) ^ 1;
    t.throws(() => sealing.open(modified, context), { instanceOf: NotOpened });
  }
});

test('with a STATE_KEY, what the Deepgram key sealed still opens', (t) => {
  const before = new Sealing([fixedSecret('deepgram key')], 'results').seal(WORDS);
  const now = new Sealing([fixedSecret('state key'), fixedSecret('deepgram key')], 'results');
  t.deepEqual(now.open(before), WORDS);
  t.throws(() => new Sealing([fixedSecret('deepgram key')], 'results').open(now.seal(WORDS)));
});

test('the generation grows when the sealing key changes, not when one that only opens does', (t) => {
  const first = { current: 'one', accepted: ['one'], renew: async () => {} };
  const second = { current: 'two', accepted: ['two'], renew: async () => {} };
  const sealing = new Sealing([first, second] satisfies [Secret, Secret], 'results');
  t.is(sealing.generation, 0);
  second.current = 'three';
  t.is(sealing.generation, 0);
  first.current = 'four';
  t.is(sealing.generation, 1);
  t.is(sealing.generation, 1);
});

test('every earlier value that was replaced within its time opens, also after two changes', async (t) => {
  const clock = new VirtualClock();
  const values = ['first'];
  const read: ReadSecret = async (_arn, stage) => {
    const value = values.at(stage === 'AWSCURRENT' ? -1 : -2);
    if (value === undefined) throw new SecretRefused('secret-empty', 'there is no such version');
    return { value, createdAtEpochMs: clock.epoch() };
  };
  const log = createLog('silent');
  const options = { setting: 'STATE_KEY', arn: 'arn', faultOf: () => undefined, read, clock, log };
  const secret = await ManagedSecret.open({ ...options, previousValidMs: 14 * DAY_MS, acceptsAllPrevious: true });
  const sealing = new Sealing([secret], 'results');
  const sealed = sealing.seal(WORDS);
  for (const value of ['second', 'third']) {
    values.push(value);
    await clock.advance(DAY_MS);
    await secret.renew();
    t.is(secret.current, value);
    t.deepEqual(sealing.open(sealed), WORDS);
  }
});

const key = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;

test('a webhook secret is whsec_ and base64 of 24 to 64 bytes, or one per host', (t) => {
  t.is(keysIn(key(24))?.only?.symmetricKeySize, 24);
  t.is(keysIn(key(64))?.only?.symmetricKeySize, 64);
  for (const wrong of [key(23), key(65), 'whsec_', 'secret', 'whsec_***', '', '{', '{}', '[]', 'null', '{"a":1}'])
    t.is(keysIn(wrong), undefined, wrong);
  const both = JSON.stringify({ 'Hooks.example.com': key(24), '10.0.0.1:8443': key(32), '[fd00::1]': key(32) });
  const keys = keysIn(both);
  t.is(keys?.only, undefined);
  t.deepEqual([...(keys?.byHost.keys() ?? [])], ['hooks.example.com', '10.0.0.1:8443', '[fd00::1]']);
  for (const host of ['https://a.example', 'a.example/path', 'user@a.example', '*.example', ''])
    t.is(keysIn(JSON.stringify({ [host]: key(24) })), undefined, host);
});

test('every secret within RESULTS_SECRET is masked in logs, with its prefix and without', (t) => {
  const [one, other] = [key(24), key(32)];
  const log = createLog('silent');
  log.redactor.learn(webhookSecretsIn(JSON.stringify({ 'a.example': one, 'b.example': other })));
  for (const secret of [one, other, one.slice('whsec_'.length)])
    t.is(log.redactor.clean(`is ${secret} here`), 'is *** here');
});
