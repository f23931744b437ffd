import test from 'ava';
import fc from 'fast-check';
import { AttributeMask } from '../../daemon/log/attribute-mask.ts';
import { Redactor } from '../../daemon/log/redactor.ts';

const KEY = 'planted/secret+"key';
const SPACED = "planted (words)~and 'quotes'";
const ALIKE = ['shared-beginning-1-x', 'shared-beginning-two'];

/** What may be logged, and how it is masked. */
const TEXTS: Record<string, [text: string, masked: string]> = {
  'a secret by its value': [`the key ${KEY} is wrong`, 'the key *** is wrong'],
  'a secret in a query': [`key=${encodeURIComponent(KEY)}&a=b`, 'key=***&a=b'],
  'an Authorization header': ['Authorization: Token 0123456789abcdef', 'Authorization: ***'],
  'a header in JSON': ['{"authorization":"Token 0123","a":1}', '{"authorization":"***","a":1}'],
  'a token without its header': ['sent Bearer abcdefghijklmnop.qrs', 'sent Bearer ***'],
  'a signature of ours': [`x-integrator-signature: v1=${'0f'.repeat(32)}`, 'x-integrator-signature: ***'],
  'a signature without its header': [`got v1=${'0f'.repeat(32)}`, 'got v1=***'],
  'the headers that AWS repeats when a signature does not match': [
    "should have been 'POST\n/getMedia\n\nhost:h\nx-amz-security-token:IQoJb3JpZ2luX2Vj//8=\n\nhost'",
    "should have been 'POST\n/getMedia\n\nhost:h\nx-amz-security-token:***\n\nhost'",
  ],
  'what AWS signs with': [
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1, SignedHeaders=host, Signature=0f0f',
    'AWS4-HMAC-SHA256 Credential=***, SignedHeaders=host, Signature=***',
  ],
  'an access key id': ['the key ASIA0123456789ABCDEF has expired', 'the key *** has expired'],
  'the credentials of a URL': [
    'cannot reach https://user:word@host.example:8443/',
    'cannot reach https://***@host.example:8443/',
  ],
  'path, query and fragment of a URL': [
    'Invalid URL: wss://api.deepgram.com/v1/listen?callback=https%3A%2F%2Fu%3Ap%40h#x',
    'Invalid URL: wss://api.deepgram.com/***',
  ],
  'credentials whose host was cut off': ['no route to https://user:wor', 'no route to https://***'],
  'a URL in quotes': [
    'cannot post to "https://h.example/T0/B0", gives up',
    'cannot post to "https://h.example/***", gives up',
  ],
  'a phone number': ['called +15550100123, +49 (30) 1234-567 and %2B15550100123', 'called ***, *** and ***'],
  'a phone number with other separators': [
    'called +1/555/010/0123, +1.555_010.0123, +1\u00a0555\u00a0010\u00a00123, %2B1%20555%20010%200123 and +1–555–0100123',
    'called ***, ***, ***, *** and ***',
  ],
  'a payment card': [
    'cards 4111111111111111, 4111 1111 1111 1111, 5555-5555-5555-4444, 3782.822463.10005 and 4111%201111%201111%201111',
    'cards ***, ***, ***, *** and ***',
  ],
  'a secret in another case': [`the key ${KEY.toUpperCase()} is wrong`, 'the key *** is wrong'],
  'a secret that was cut off': [
    `the key ${KEY.slice(0, 8)} and ${KEY.slice(0, -1)}… is wrong`,
    'the key *** and ***… is wrong',
  ],
  'a secret in a form': [`a=${new URLSearchParams({ key: SPACED })}&c=d`, 'a=key=***&c=d'],
  'a secret that was encoded twice': [
    `a=${encodeURIComponent(encodeURIComponent(SPACED))}, ${encodeURIComponent(`${new URLSearchParams([[SPACED, '']])}`)}`,
    'a=***, ***%3D',
  ],
  'secrets that begin alike': ['shared-beginning-1-x, shared-beginning-two and shared-beginning-t', '***, *** and ***'],
  'a SIP address': ['from sip:caller@pbx.example', 'from sip:***@pbx.example'],
};

for (const [what, [text, masked]] of Object.entries(TEXTS)) {
  test(`${what} is masked, also in text that is logged as JSON`, (t) => {
    const redactor = new Redactor([KEY, SPACED, ...ALIKE]);
    t.deepEqual(JSON.parse(redactor.clean(JSON.stringify({ text }))), { text: masked });
    t.deepEqual(redactor.cleaned({ a: [{ text }] }), { a: [{ text: masked }] });
  });
}

test('what operators look for is not masked', (t) => {
  const line = JSON.stringify({
    level: 'info',
    time: 1_767_323_045_000,
    event: 'session.started',
    sessionId: 'c0ffee00-0000-4000-8000-000000000001',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    listening: 'http://127.0.0.1:8080',
    stack: ['at start (file:///opt/integratord/daemon/main.js:10:5)'],
    error:
      'KinesisRefused: Kinesis Video refused arn:aws:kinesisvideo:us-east-1:123456789012:stream/a/1767323045000: timeout',
    fragment: '91343852333181432392682062607743920146159169392',
    deadline: '2026-01-02T03:04:05.000Z',
    large: 1e21,
    since: '+1m01s',
    bytes: 4111111111111111,
    numbers: [4111111111111111, 1],
    order: '4111111111111112',
  });
  t.is(new Redactor([KEY]).clean(line), line);
});

test('a secret is masked from the moment it is learned, unless it is short', (t) => {
  const redactor = new Redactor(['main', undefined]);
  t.is(redactor.clean('domain rotated-key'), 'domain rotated-key');
  redactor.learn(['rotated-key']);
  t.is(redactor.clean('domain rotated-key'), 'domain ***');
});

/** Texts made of parts of the shapes. */
const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        'https://',
        '@',
        '"',
        '\\',
        '\n',
        '?',
        '/',
        ':',
        '=',
        ' ',
        "'",
        'n',
        'u',
        'Authorization',
        'password',
        'Token ',
      ],
      ...[
        '+1555',
        '0100123',
        'abcdefghijklmnopqrst',
        'v1=',
        'sip:',
        '%2B',
        'ntidote-key',
        '\u0007',
        '\ud800',
        '{',
        ',',
        '5',
      ],
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

test('masked JSON is valid JSON with the same fields', (t) => {
  const redactor = new Redactor(['ntidote-key', KEY]);
  const property = fc.property(hostile, hostile, fc.integer(), (one, other, number) => {
    const fields = { password: number, one, cookie: null, authorization: true, nested: { [`${other}x`]: other } };
    const cleaned = redactor.cleaned(fields);
    return cleaned.password === number && cleaned.cookie === null && 'one' in cleaned && 'nested' in cleaned;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 3000 }));
});

test('a secret of any characters is masked in any text', (t) => {
  const secret = fc.string({ minLength: 8, maxLength: 60 }).filter((text) => !'***'.includes(text));
  const property = fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
    const { text } = new Redactor([value]).cleaned({ text: `${before} ${value} ${after}` });
    return !text.includes(value);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test('a session’s values are masked where others quote them, but not in our keywords or in transcripts', (t) => {
  const callback = 'https://user:pass%20word@hooks.example/T0/B0123456?token=abcdef';
  const mask = new AttributeMask(['nova-3', 'Jane Doe', 'true', 'stopped', callback]);
  const masked = mask.masked({
    event: 'session.ended',
    reason: 'stopped',
    transcript: 'this is Jane Doe',
    closeReason: 'jane doe and Jane%20Doe: no NOVA-3',
    causes: [`cannot post to ${callback}`, 'user was told pass word, B0123456 and abcdef'],
    channel: 1,
    missing: undefined,
  });
  t.deepEqual(masked, {
    event: 'session.ended',
    reason: 'stopped',
    transcript: 'this is Jane Doe',
    closeReason: '*** and ***: no ***',
    causes: ['cannot post to ***', '*** was told ***, *** and ***'],
    channel: 1,
    missing: undefined,
  });
});

test('a session’s values are masked in every encoding, cut off, and as numbers with any separators', (t) => {
  const mask = new AttributeMask([
    'Jane van Doe',
    '4000 0000 0000 0001',
    '(555) 010-0123',
    'https://hooks.example/B0123456',
  ]);
  const texts = {
    'bad Jane+van+Doe': 'bad ***',
    'bad Jane%2520van%2520Doe': 'bad ***',
    'bad Jane%2Bvan%2BDoe': 'bad ***',
    'bad "jane van': 'bad "***',
    'card 4000-0000-0000-0001': 'card ***',
    'card 4000.0000.00': 'card ***',
    'card 4000000000000001': 'card ***',
    'from 555/010/0123 and 5550100123': 'from *** and ***',
    'no https:// at all, 400 or 555 010': 'no https:// at all, 400 or 555 010',
  };
  for (const [error, masked] of Object.entries(texts)) t.deepEqual(mask.masked({ error }), { error: masked });
});

test('a session without values masks nothing', (t) => {
  t.deepEqual(new AttributeMask(['', 'en']).masked({ error: 'when' }), { error: 'when' });
  t.deepEqual(new AttributeMask([]).masked({ error: 'when' }), { error: 'when' });
});
