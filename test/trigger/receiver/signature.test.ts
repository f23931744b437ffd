import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { signatureFault, signingKey } from '../../../trigger/receiver/signature.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const NOW_MS = Date.UTC(2026, 0, 1);
const ID = '6f0d7c5e-1c1f-4a39-9b5c-0a4e0a5c1f7b_1_1-3';

/** Headers as the standard's own library signs them. */
function signed(body: string, { secret = SECRET, atMs = NOW_MS, id = ID } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(atMs / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, new Date(atMs), body),
  };
}

const faultOf = (headers: Record<string, string>, body: string, nowMs = NOW_MS) =>
  signatureFault(signingKey(SECRET), headers, Buffer.from(body), nowMs);

test("a signature of the standard's library is valid", (t) => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (body) => faultOf(signed(body), body) === undefined));
  t.pass();
});

test('one byte makes it invalid: in the body, the id, the time or the signature', (t) => {
  const body = '{"type":"integratord.events","data":{"text":"hello"}}';
  const headers = signed(body);
  t.is(faultOf(headers, body), undefined);
  for (let at = 0; at < body.length; at++) {
    const changed = Buffer.from(body);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.is(signatureFault(signingKey(SECRET), headers, changed, NOW_MS), 'bad-signature', `byte ${at}`);
  }
  t.is(faultOf({ ...headers, 'webhook-id': `${ID}0` }, body), 'bad-signature');
  t.is(faultOf({ ...headers, 'webhook-timestamp': String(NOW_MS / 1000 + 1) }, body), 'bad-signature');
  const base64 = headers['webhook-signature'];
  t.is(
    faultOf({ ...headers, 'webhook-signature': base64.replace(/,./, base64[3] === 'A' ? ',B' : ',A') }, body),
    'bad-signature',
  );
});

test('one of several signatures is enough, of version 1 only', (t) => {
  const old = signed('body', { secret: `whsec_${randomBytes(24).toString('base64')}` })['webhook-signature'];
  const headers = signed('body');
  const current = headers['webhook-signature'];
  const withSignatures = (text: string) => faultOf({ ...headers, 'webhook-signature': text }, 'body');
  t.is(withSignatures(`${old} ${current}`), undefined);
  t.is(withSignatures(`v1a,AAAA ${current} ${old}`), undefined);
  t.is(withSignatures(old), 'bad-signature');
  t.is(withSignatures(current.replace('v1', 'v2')), 'bad-signature');
  t.is(withSignatures(current.slice(3)), 'bad-signature');
});

for (const missing of ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const) {
  test(`without ${missing} it is invalid`, (t) => {
    t.is(faultOf({ ...signed('body'), [missing]: '' }, 'body'), 'missing-signature');
  });
}

test('it expires after five minutes, in both directions', (t) => {
  const faults = [-301, -300, 300, 301].map((seconds) => faultOf(signed('body'), 'body', NOW_MS + seconds * 1000));
  t.deepEqual(faults, ['stale-signature', undefined, undefined, 'stale-signature']);
  t.is(faultOf({ ...signed('body'), 'webhook-timestamp': 'now' }, 'body'), 'bad-signature');
});

test('a secret is whsec_ and 24 to 64 bytes in base64', (t) => {
  for (const bytes of [24, 64]) t.is(signingKey(`whsec_${randomBytes(bytes).toString('base64')}`).length, bytes);
  const tooShort = `whsec_${randomBytes(23).toString('base64')}`;
  for (const secret of [
    tooShort,
    `whsec_${randomBytes(65).toString('base64')}`,
    randomBytes(32).toString('base64'),
    '',
  ]) {
    const { message } = t.throws(() => signingKey(secret)) ?? { message: secret };
    t.true(secret === '' || !message.includes(secret));
  }
});
