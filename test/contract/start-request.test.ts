import test from 'ava';
import { BadRequest, parseStartRequest, storedStartRequest } from '../../daemon/contract/start-request.ts';

const REGION = 'us-east-1';
const ORIGINAL = {
  contactId: 'contact-1',
  kvsStream: { arn: `arn:aws:kinesisvideo:${REGION}:123456789012:stream/name/1`, startFragmentNumber: '91343' },
  dgParams: { model: 'nova-3', tag: ['a', 'b'] },
  enforceRealtime: false,
};
const STARTED = { ...ORIGINAL.kvsStream, startTimestamp: '2026-03-14T15:09:24.500Z' };
const CONTACT = {
  initialContactId: 'contact-0',
  previousContactId: 'contact-0',
  instanceArn: 'arn:aws:connect:us-east-1:123456789012:instance/1',
  channel: 'VOICE',
  initiationMethod: 'TRANSFER',
  queueArn: 'arn:aws:connect:us-east-1:123456789012:instance/1/queue/2',
  queueName: 'Support',
};
const parse = (body: unknown) => parseStartRequest(JSON.stringify(body), REGION);

/**
 * The bodies that triggers have sent, oldest first, word for word: a roll-out runs new daemons behind an older trigger.
 * Never change one; add the next when the trigger's body changes.
 */
const OLDER_BODIES = {
  'the original': `{"contactId":"c","kvsStream":{"arn":"${ORIGINAL.kvsStream.arn}","startFragmentNumber":"91343"},"dgParams":{"model":"nova-3","tag":["a","b"]},"enforceRealtime":false}`,
  '0.1.0': `{"contactId":"c","kvsStream":{"arn":"${ORIGINAL.kvsStream.arn}","startFragmentNumber":"91343","startTimestamp":"2026-03-14T15:09:24.500Z"},"dgParams":{"model":"nova-3","callback":"https://example.org/c","tag":"dg_amazonconnect"},"enforceRealtime":false,"contact":{"initialContactId":"c","previousContactId":"c","instanceArn":"arn:aws:connect:us-east-1:123456789012:instance/1","channel":"VOICE","initiationMethod":"INBOUND","queueArn":"arn:aws:connect:us-east-1:123456789012:instance/1/queue/2","queueName":"Support"}}`,
} as const;

for (const [version, body] of Object.entries(OLDER_BODIES)) {
  test(`a daemon accepts the body of the trigger of ${version}`, (t) => {
    t.deepEqual(parseStartRequest(body, REGION), JSON.parse(body));
  });
}

test('the original’s body is valid', (t) => {
  t.deepEqual(parse(ORIGINAL), ORIGINAL);
});

test('the optional fields are valid together and one by one', (t) => {
  const whole = { ...ORIGINAL, kvsStream: STARTED, contact: CONTACT };
  t.deepEqual(parse(whole), whole);
  for (const [fact, value] of Object.entries(CONTACT)) {
    const body = { ...ORIGINAL, contact: { [fact]: value } };
    t.deepEqual(parse(body), body);
  }
});

test('an invalid startTimestamp does not fail the start', (t) => {
  const { kvsStream } = parse({ ...ORIGINAL, kvsStream: { ...STARTED, startTimestamp: 'soon' } });
  t.is(kvsStream.startTimestamp, undefined);
});

for (const [fault, contact] of [
  ['a phone number', { customerEndpoint: '+15550100123' }],
  ['a number for an id', { initialContactId: 7 }],
  ['a null', { queueName: null }],
  ['a queue name without end', { queueName: 'x'.repeat(5000) }],
  ['a text', 'contact-0'],
] as const) {
  test(`a contact with ${fault} is refused`, (t) => {
    const error = t.throws(() => parse({ ...ORIGINAL, contact }), { instanceOf: BadRequest });
    t.is(error?.reason, 'bad-request');
  });
}

test('a request that a newer daemon stored keeps what this one knows', (t) => {
  const whole = { ...ORIGINAL, kvsStream: STARTED, contact: CONTACT };
  const newer = {
    ...whole,
    kvsStream: { ...STARTED, region: REGION },
    contact: { ...CONTACT, language: 'en-US' },
    results: { webhook: 'https://example.org', format: 'vtt' },
    priority: 'high',
  };
  t.deepEqual(storedStartRequest.parse(newer), { ...whole, results: { webhook: 'https://example.org' } });
  t.is(storedStartRequest.parse({ ...whole, results: 'of another kind' }).results, undefined);
  t.deepEqual(storedStartRequest.parse({ ...whole, contact: 'of another shape' }).contact, undefined);
});

test('results go to a webhook, to the daemon’s default, or nowhere', (t) => {
  for (const results of [{ webhook: 'https://example.org/calls/{contact-id}' }, { webhook: null }, {}]) {
    const body = { ...ORIGINAL, results };
    t.deepEqual(parse(body), body);
  }
  for (const webhook of ['example.org', 'ftp://example.org', '', 7]) {
    const error = t.throws(() => parse({ ...ORIGINAL, results: { webhook } }), { instanceOf: BadRequest });
    t.is(error?.reason, 'bad-request');
  }
});

for (const [fault, values, message] of [
  ['no value', [], /dgParams.keyterm/],
  ['501 values', Array(501).fill('x'), /dgParams.keyterm: must have at most 500 values, and has 501$/],
  ['a long value', 'x'.repeat(8193), /dgParams.keyterm: must have values of at most 8192 characters, not 8193$/],
  ['a long value among others', ['a', 'x'.repeat(8193)], /at most 8192 characters, not 8193/],
  ['half of an emoji', '😀'.slice(0, 1), /dgParams.keyterm: must not be cut within a character$/],
] as const) {
  test(`a parameter with ${fault} is refused by name`, (t) => {
    t.throws(() => parse({ ...ORIGINAL, dgParams: { keyterm: values } }), { instanceOf: BadRequest, message });
  });
}

test('a name that no parameter can have is refused by name, and several faults stand in one line', (t) => {
  const message = /: dgParams\["foo bar"\]: is not the name of a parameter, .+; enforceRealtime: .+/;
  const body = { ...ORIGINAL, dgParams: { 'foo bar': 'x' }, enforceRealtime: 'true' };
  t.throws(() => parse(body), { instanceOf: BadRequest, message });
});

test('an empty callback counts as not set, a list of one as that one, and several are refused', (t) => {
  const empty = { ...ORIGINAL, dgParams: { model: 'nova-3', callback: '' } };
  t.deepEqual(parse(empty).dgParams, { model: 'nova-3' });
  t.notThrows(() => parse({ ...empty, results: { webhook: 'https://example.org' } }));
  const list = { ...ORIGINAL, dgParams: { callback: ['https://a.example'] } };
  t.deepEqual(parse(list).dgParams, { callback: 'https://a.example' });
  t.deepEqual(parse({ ...ORIGINAL, dgParams: { callback: [''] } }).dgParams, {});
  const several = { ...ORIGINAL, dgParams: { callback: ['https://a.example', 'https://b.example'] } };
  t.throws(() => parse(several), { instanceOf: BadRequest, message: /callback must be one URL/ });
});

test('a callback and a webhook are two destinations', (t) => {
  const dgParams = { callback: 'https://example.org' };
  const both = { ...ORIGINAL, dgParams, results: { webhook: 'https://example.org' } };
  t.is(t.throws(() => parse(both), { instanceOf: BadRequest })?.reason, 'two-destinations');
  t.notThrows(() => parse({ ...ORIGINAL, dgParams, results: { webhook: null } }));
});
