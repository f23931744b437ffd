import { Agent } from 'node:https';
import test from 'ava';
import fc from 'fast-check';
import { NoProxy } from '../../daemon/runtime/no-proxy.ts';

const covers = (list: string, host: string, port = 443) => new NoProxy(list).covers(host, port);

for (const host of ['localhost', 'a.localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1', '[::1]']) {
  test(`loopback is never proxied: ${host}`, (t) => t.true(covers('', host)));
}

for (const host of ['169.254.169.254', '169.254.170.2', '169.254.170.23', 'fd00:ec2::254', '[fd00:ec2::254]']) {
  test(`the metadata services of EC2, ECS and EKS are never proxied: ${host}`, (t) => t.true(covers('x', host)));
}

const FORMS: [list: string, covered: string[], proxied: string[]][] = [
  ['*', ['a.test', '10.0.0.1'], []],
  ['deepgram.test', ['deepgram.test', 'Deepgram.TEST', 'deepgram.test.'], ['api.deepgram.test', 'xdeepgram.test']],
  ['.aws.test', ['aws.test', 'kinesis.aws.test'], ['xaws.test']],
  ['*.aws.test', ['kinesis.aws.test'], ['aws.test']],
  ['a.test, b.test ,, C.test', ['a.test', 'b.test', 'c.test'], ['d.test']],
  ['10.0.0.5', ['10.0.0.5'], ['10.0.0.6']],
  ['10.0.0.5-10.0.0.7', ['10.0.0.5', '10.0.0.6', '10.0.0.7'], ['10.0.0.4', '10.0.0.8', 'a.test', '::1:1']],
  ['10.0.0.0/8', ['10.255.0.1'], ['11.0.0.1', 'a.test']],
  ['fd12::/16, 2001:db8::1', ['fd12::9', '[2001:db8::1]'], ['fd13::9']],
  ['[2001:db8::1]', ['2001:db8::1'], ['2001:db8::2']],
];
for (const [list, covered, proxied] of FORMS) {
  test(`NO_PROXY=${list}`, (t) => {
    for (const host of covered) t.true(covers(list, host), host);
    for (const host of proxied) t.false(covers(list, host), host);
  });
}

test('an entry with a port is about that port only', (t) => {
  t.true(covers('a.test:8443', 'a.test', 8443));
  t.false(covers('a.test:8443', 'a.test', 443));
  t.true(covers('[2001:db8::1]:8443', '2001:db8::1', 8443));
  t.true(covers('.aws.test:443', 'kinesis.aws.test', 443));
});

for (const list of ['10.0.0.0/33', 'nonsense/8', '10.0.0.9-10.0.0.1', 'http://a.test', 'a b', 'user@a.test']) {
  test(`a NO_PROXY that means nothing is refused: ${list}`, (t) => {
    t.throws(() => new NoProxy(`a.test,${list}`), { instanceOf: RangeError, message: /is not a list of hosts/ });
  });
}

test('what Node’s own agent takes from NO_PROXY is not proxied here either', (t) => {
  const label = fc.constantFrom('a', 'b', 'aa', 'x-y');
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => [...labels, 'test'].join('.'));
  const address = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 }))
    .map(([a, b]) => `10.0.${a}.${b}`);
  const host = fc.oneof(name, address);
  const entry = fc.oneof(
    host,
    name.map((each) => `.${each}`),
    name.map((each) => `*.${each}`),
    fc.tuple(host, fc.constantFrom(443, 8443)).map(([each, port]) => `${each}:${port}`),
    fc.tuple(address, address).map(([a, b]) => [a, b].sort((x, y) => number(x) - number(y)).join('-')),
  );
  const list = fc.array(entry, { minLength: 1, maxLength: 4 }).map((entries) => entries.join(','));
  fc.assert(
    fc.property(list, host, fc.constantFrom(443, 8443), (given, to, port) => {
      const isProxied = nodeProxies(given, to, port);
      if (isProxied !== !covers(given, to, port)) t.fail(`NO_PROXY=${given} for ${to}:${port}: Node says ${isProxied}`);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

const number = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** Node's decision, by the agent's own configuration. */
function nodeProxies(list: string, host: string, port: number): boolean {
  const agent = new Agent({ proxyEnv: { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: list } });
  const symbol = Object.getOwnPropertySymbols(agent).find(({ description }) => description === 'kProxyConfig');
  if (!symbol) throw new Error('Node keeps its proxy configuration elsewhere');
  return (
    (agent as unknown as Record<symbol, { shouldUseProxy(host: string, port: number): boolean }>)[
      symbol
    ]?.shouldUseProxy(host, port) ?? false
  );
}
