import type { LookupAddress } from 'node:dns';
import test from 'ava';
import fc from 'fast-check';
import { addressFault, ownAddresses } from '../../daemon/results/webhook/addresses.ts';
import { guardedLookup, type ResolveAll } from '../../daemon/results/webhook/guarded-lookup.ts';
import { literalFault, urlFault, webhookFault, webhookFor } from '../../daemon/results/webhook/webhook-url.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';

const NONE = new Set<string>();
const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const FORBIDDEN_V4 = [
  '0.0.0.0',
  '0.1.2.3',
  '127.0.0.1',
  '127.255.0.1',
  '169.254.169.254',
  '169.254.170.2',
  '224.0.0.1',
  '239.1.1.1',
  '255.255.255.255',
];

test('loopback, unspecified, link-local, multicast and the metadata service are never posted to', (t) => {
  const v6 = [
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'ff02::1',
    'fd00:ec2::254',
    'FD00:EC2:0:0::254',
    '0:0:0:0:0:0:0:1',
  ];
  for (const address of [...FORBIDDEN_V4, ...v6]) t.truthy(addressFault(address, NONE), address);
});

test('public and private addresses may be posted to', (t) => {
  for (const address of [
    '93.184.216.34',
    '10.0.0.5',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '2600:1f18::1',
    'fd12:3456::1',
  ])
    t.is(addressFault(address, NONE), undefined, address);
});

test('addresses of this host are not posted to, whatever they are', (t) => {
  const own = new Set(['10.0.0.5', '2600:1f18::1']);
  for (const address of ['10.0.0.5', '::ffff:10.0.0.5', '64:ff9b::a00:5', '2600:1f18:0:0::1', '2002:a00:5::'])
    t.truthy(addressFault(address, own), address);
  t.is(addressFault('10.0.0.6', own), undefined);
  t.true((ownAddresses() as ReadonlySet<string>).has('127.0.0.1'));
});

test('where a sandbox hides the addresses of this host, nothing is posted, and the reason says so', (t) => {
  const own = ownAddresses(() => {
    throw new Error('uv_interface_addresses returned Unknown system error 97');
  });
  for (const address of ['10.0.0.6', '93.184.216.34', '2001:db8::1'])
    t.regex(addressFault(address, own) ?? '', /cannot be read: a sandbox must allow AF_NETLINK/);
});

/** Every way that we know to write an IPv4 address within an IPv6 one. */
const FORMS: Readonly<Record<string, (bytes: readonly number[]) => string>> = {
  mapped: (b) => `::ffff:${b.join('.')}`,
  mappedInHex: (b) => `::ffff:${hex(b[0], b[1])}:${hex(b[2], b[3])}`,
  mappedInFull: (b) => `0:0:0:0:0:FFFF:${hex(b[0], b[1])}:${hex(b[2], b[3])}`,
  compatible: (b) => `::${hex(b[0], b[1])}:${hex(b[2], b[3])}`,
  translated: (b) => `::ffff:0:${b.join('.')}`,
  nat64: (b) => `64:ff9b::${b.join('.')}`,
  nat64Local: (b) => `64:ff9b:1:2:3:4:${hex(b[0], b[1])}:${hex(b[2], b[3])}`,
  nat64Local48: (b) => `64:ff9b:1:${hex(b[0], b[1])}:${hex(0, b[2])}:${hex(b[3], 0)}::`,
  sixToFour: (b) => `2002:${hex(b[0], b[1])}:${hex(b[2], b[3])}::1`,
  teredoServer: (b) => `2001:0:${hex(b[0], b[1])}:${hex(b[2], b[3])}::fffe`,
  teredoClient: (b) => `2001:0:5db8:d822:0:0:${hex(...not(b[0], b[1]))}:${hex(...not(b[2], b[3]))}`,
  isatap: (b) => `2600::5efe:${hex(b[0], b[1])}:${hex(b[2], b[3])}`,
};

function hex(high = 0, low = 0): string {
  return ((high << 8) | low).toString(16);
}

function not(one = 0, other = 0): [number, number] {
  return [one ^ 0xff, other ^ 0xff];
}

test('a forbidden IPv4 address is recognized in every form within IPv6, an allowed one is not mistaken', (t) => {
  const bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  for (const address of FORBIDDEN_V4) {
    for (const [name, form] of Object.entries(FORMS))
      t.truthy(
        addressFault(form(address.split('.').map(Number)), NONE),
        `${address} ${name}: ${form(address.split('.').map(Number))}`,
      );
  }
  fc.assert(
    fc.property(bytes, fc.constantFrom(...Object.keys(FORMS)), (parts, name) => {
      const inner = addressFault(parts.join('.'), NONE);
      const outer = addressFault((FORMS[name] as (typeof FORMS)[string])(parts), NONE);
      // The other addresses in the form may be forbidden too, such as 0.0.0.0 where it is short.
      if (inner !== undefined) t.not(outer, undefined);
      else if (name === 'mapped' || name === 'nat64') t.is(outer, undefined);
    }),
    { numRuns: 2000 },
  );
});

const rules = {
  secret: fixedSecret(JSON.stringify({ 'hooks.example.com': KEY, '10.0.0.5:8443': KEY, '[fd12::1]': KEY })),
  defaultHost: undefined,
  allowsLocal: false,
};

test('only https URLs of listed hosts are posted to, without credentials', (t) => {
  for (const url of [
    'https://hooks.example.com/calls/{contact-id}?token=1',
    'https://10.0.0.5:8443/',
    'https://[fd12::1]/x',
    'https://HOOKS.example.com:443/',
  ])
    t.is(webhookFault(url, rules), undefined, url);
  const refused: readonly (readonly [string, RegExp])[] = [
    ['http://hooks.example.com/', /must be an https URL/],
    ['hooks.example.com', /must be a URL/],
    ['https://user:planted@hooks.example.com/', /credentials/],
    ['https://hooks.example.com/#part', /fragment/],
    ['https://hooks.example.com:8443/', /does not list/],
    ['https://evil.example.com/planted', /does not list/],
    ['https://{contact-id}.example.com/', /in its host/],
    ['https://127.0.0.1/', /names an address/],
    ['https://0x7f.1/', /names an address/],
    ['https://2130706433/', /names an address/],
    ['https://[::ffff:169.254.169.254]/', /names an address/],
    ['https://[64:ff9b::7f00:1]/', /names an address/],
    ['https://localhost/', /names this host/],
    ['https://a.localhost./', /names this host/],
    [`https://hooks.example.com/${'x'.repeat(2048)}`, /at most 2048/],
  ];
  for (const [url, fault] of refused) {
    const found = webhookFault(url, rules) ?? '';
    t.regex(found, fault, url);
    t.notRegex(found, /planted/);
  }
  t.regex(webhookFault('https://hooks.example.com/', { ...rules, secret: undefined }) ?? '', /needs RESULTS_SECRET/);
});

test('a secret alone is for the host of RESULTS_WEBHOOK only', (t) => {
  const alone = { ...rules, secret: fixedSecret(KEY), defaultHost: 'hooks.example.com' };
  t.is(webhookFault('https://hooks.example.com/other', alone), undefined);
  t.regex(webhookFault('https://other.example.com/', alone) ?? '', /does not list/);
});

test('RESULTS_ALLOW_LOCAL is for demo and tests', (t) => {
  t.is(urlFault('http://127.0.0.1:8080/', true), undefined);
  t.is(literalFault('127.0.0.1'), 'names an address that is loopback, link-local, multicast or reserved');
});

test('the contact id takes its place in the URL', (t) => {
  t.is(webhookFor('https://a.example/{contact-id}?c={contact-id}', 'a:b'), 'https://a.example/a%3Ab?c=a%3Ab');
});

/** A resolver whose answers change with each question, as a rebinding one does. */
function rebinding(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const resolve: ResolveAll = (hostname, _options, callback) => {
    const addresses = answers[asked.length] ?? answers.at(-1) ?? [];
    asked.push(hostname);
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { asked, lookup: guardedLookup(resolve) };
}

function lookedUp(lookup: ReturnType<typeof guardedLookup>, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    lookup('hooks.example.com', { all }, (error, address, family) => {
      if (error) reject(error);
      else resolve(all ? (address as LookupAddress[]).map((each) => each.address) : [address, family]);
    });
  });
}

test('a connection uses the checked addresses, so a name that changes in between has no effect', async (t) => {
  const { asked, lookup } = rebinding(['93.184.216.34', '2600:1f18::1'], ['127.0.0.1']);
  t.deepEqual(await lookedUp(lookup, true), ['93.184.216.34', '2600:1f18::1']);
  t.is(asked.length, 1);
  await t.throwsAsync(lookedUp(lookup, true), { code: 'ERR_ADDRESS_REFUSED', message: /127\.0\.0\.1 is loopback/ });
  t.deepEqual(await lookedUp(rebinding(['93.184.216.34']).lookup, false), ['93.184.216.34', 4]);
});

test('a name with one forbidden address among others is refused', async (t) => {
  const { lookup } = rebinding(['93.184.216.34', '::ffff:169.254.169.254']);
  for (const all of [true, false]) await t.throwsAsync(lookedUp(lookup, all), { code: 'ERR_ADDRESS_REFUSED' });
});

test('a name that does not resolve is an error of its own', async (t) => {
  const resolve: ResolveAll = (_hostname, _options, callback) =>
    callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
  await t.throwsAsync(lookedUp(guardedLookup(resolve), true), { code: 'ENOTFOUND' });
});
