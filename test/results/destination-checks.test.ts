import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { deadLettersCheck, type WebhooksOf, webhookChecks } from '../../daemon/results/destination-checks.ts';
import { Egress } from '../../daemon/runtime/egress.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { listening, NOWHERE } from '../support/loopback.ts';

const KEY = `whsec_${randomBytes(32).toString('base64')}`;

/** What each check says: its own text, or why it failed. */
async function verdicts({ webhook, rules }: Omit<WebhooksOf, 'egress'>): Promise<Record<string, string>> {
  const checks = webhookChecks({ webhook, rules, egress: new Egress() });
  const said = checks.map(async ({ name, ok, attempt }) => {
    const text = await attempt().then(
      () => ok,
      (error: Error) => error.message || String((error as NodeJS.ErrnoException).code),
    );
    return [name, text] as const;
  });
  return Object.fromEntries(await Promise.all(said));
}

test('the webhook is connected to, and nothing is posted', async (t) => {
  let received = 0;
  const server = createServer((socket) => socket.on('data', (bytes) => (received += bytes.length)));
  const defaultHost = `127.0.0.1:${await listening(t, server)}`;
  const webhook = `http://${defaultHost}/calls/{contact-id}`;
  const rules = { secret: fixedSecret(KEY), defaultHost, allowsLocal: true };
  t.deepEqual(await verdicts({ webhook, rules }), {
    [`webhook ${defaultHost}`]: 'it can be connected to, and RESULTS_SECRET has its secret',
  });
  server.close();
  await once(server, 'close');
  t.is(received, 0);
});

test('a webhook where nothing listens is reported', async (t) => {
  const rules = { secret: fixedSecret(KEY), defaultHost: NOWHERE, allowsLocal: true };
  const { [`webhook ${NOWHERE}`]: verdict } = await verdicts({ webhook: `http://${NOWHERE}/calls`, rules });
  t.regex(verdict ?? '', /ECONNREFUSED/);
});

test('a webhook without a secret, and an address that is never posted to, are reported', async (t) => {
  const defaultHost = 'hooks.example.com';
  const webhook = `https://${defaultHost}/`;
  const elsewhere = JSON.stringify({ '169.254.169.254': KEY, localhost: KEY });
  t.deepEqual(await verdicts({ webhook, rules: { secret: fixedSecret(elsewhere), defaultHost, allowsLocal: false } }), {
    'webhook hooks.example.com': 'RESULTS_WEBHOOK names the host hooks.example.com, which RESULTS_SECRET does not list',
    'webhook 169.254.169.254': '169.254.169.254 names an address that is loopback, link-local, multicast or reserved',
    'webhook localhost': 'localhost names this host',
  });
  t.like(await verdicts({ webhook, rules: { secret: undefined, defaultHost, allowsLocal: false } }), {
    'webhook hooks.example.com': 'RESULTS_WEBHOOK needs RESULTS_SECRET, which signs what is posted to it',
  });
});

test('without results there is nothing to check', (t) => {
  const rules = { secret: undefined, defaultHost: undefined, allowsLocal: false };
  t.deepEqual(webhookChecks({ webhook: undefined, rules, egress: new Egress() }), []);
});

test('the place of dead letters is listed', async (t) => {
  const check = deadLettersCheck({ place: 's3://letters/', list: () => Promise.reject(new Error('AccessDenied')) });
  await t.throwsAsync(check.attempt(), { message: 'AccessDenied' });
  await t.notThrowsAsync(deadLettersCheck({ place: 's3://letters/', list: async () => [] }).attempt());
});
