import test from 'ava';
import { keysIn, webhookSecret } from '../../daemon/secrets/webhook-secrets.ts';

const RULE =
  'must be whsec_ and base64 of 24 to 64 bytes with its padding, or a JSON object of host names, each once, to these';

const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 0xfb).toString('base64')}`;

for (const bytes of [24, 31, 32, 64]) {
  test(`a key of ${bytes} bytes signs, for one host or for each`, (t) => {
    const secret = secretOf(bytes);
    t.deepEqual(keysIn(secret)?.only?.export(), Buffer.alloc(bytes, 0xfb));
    t.deepEqual(
      keysIn(JSON.stringify({ 'Hooks.example.com:8443': secret }))
        ?.byHost.get('hooks.example.com:8443')
        ?.export(),
      Buffer.alloc(bytes, 0xfb),
    );
  });
}

for (const [what, secret] of [
  ['no prefix', secretOf(32).replace('whsec_', '')],
  ['23 bytes', secretOf(23)],
  ['65 bytes', secretOf(65)],
  ['no padding, which a consumer in Go refuses', secretOf(32).replace('=', '')],
  ['too little padding', secretOf(31).replace('==', '=')],
  ['base64url', secretOf(32).replaceAll('+', '-')],
  ['a line break', `${secretOf(32)}\n`],
  ['nothing', 'whsec_'],
] as const) {
  test(`a secret with ${what} is refused without repeating it`, (t) => {
    for (const value of [secret, JSON.stringify({ 'hooks.example.com': secret })]) {
      t.is(keysIn(value), undefined);
      t.is(webhookSecret.safeParse(value).error?.issues[0]?.message, RULE);
    }
  });
}

for (const [name, url] of [
  ['hooks.example.com:443', 'https://hooks.example.com/calls'],
  ['hooks.example.com', 'https://hooks.example.com:443/calls'],
  ['Hooks.Example.COM:08443', 'https://hooks.example.com:8443/calls'],
  ['bücher.example', 'https://BÜCHER.example/calls'],
  ['xn--bcher-kva.example', 'https://bücher.example/calls'],
  ['10.1', 'https://10.0.0.1/calls'],
  ['[2001:DB8:0::1]:8443', 'https://[2001:db8::1]:8443/calls'],
] as const) {
  test(`the secret of ${name} signs for ${url}`, (t) => {
    const keys = keysIn(JSON.stringify({ [name]: secretOf(32) }));
    t.true(keys?.byHost.has(new URL(url).host));
  });
}

for (const name of [
  'https://a.example',
  'a.example/calls',
  'u@a.example',
  'a b.example',
  '*.a.example',
  'a.example:99999',
  '',
])
  test(`"${name}" is no host`, (t) => {
    t.is(keysIn(JSON.stringify({ [name]: secretOf(32) })), undefined);
  });

test('a host has one secret, however it is written', (t) => {
  t.is(keysIn(JSON.stringify({ 'a.example': secretOf(32), 'A.example:443': secretOf(24) })), undefined);
});
