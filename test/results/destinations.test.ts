import test from 'ava';
import { destinationsOf, startWebhookFault } from '../../daemon/results/destinations.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { requestOf } from '../support/session-builders.ts';

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const DEFAULT = 'https://hooks.example.com/{contact-id}';
const CALLBACK = { dgParams: { callback: 'https://results.example.com/' } };
const both = { webhook: DEFAULT, hasStream: true };
const none = { webhook: undefined, hasStream: false };

/** A request that names this webhook; null for none at all. */
const asking = (webhook: string | null) => ({ ...requestOf('a:b'), results: { webhook } });

test('a call that names nothing goes to the webhook and the stream of the settings', (t) => {
  t.deepEqual(destinationsOf(requestOf('a:b'), both), { webhook: 'https://hooks.example.com/a%3Ab', stream: 'all' });
  t.deepEqual(destinationsOf(requestOf('a'), { ...both, hasStream: false }), {
    webhook: 'https://hooks.example.com/a',
    stream: 'none',
  });
  t.is(destinationsOf(requestOf('a'), none), undefined);
});

test('a webhook of the flow takes the place of the default, and UNSET of everything', (t) => {
  t.like(destinationsOf(asking('https://own.example.com/x'), both), {
    webhook: 'https://own.example.com/x',
    stream: 'all',
  });
  t.is(destinationsOf(asking(null), both), undefined);
});

test('of a call with a callback only session events go to the stream, and nothing to the default webhook', (t) => {
  t.deepEqual(destinationsOf(requestOf('a', CALLBACK), both), { webhook: undefined, stream: 'session-events' });
  t.is(destinationsOf(requestOf('a', CALLBACK), { ...both, hasStream: false }), undefined);
});

test('a load test does not reach the stream', (t) => {
  t.like(destinationsOf(requestOf('a', { enforceRealtime: true }), both), { stream: 'none' });
});

test('a start with a webhook must be signed, and its host listed', (t) => {
  const secret = fixedSecret(JSON.stringify({ 'own.example.com': KEY }));
  const rules = { secret, defaultHost: undefined, allowsLocal: false };
  const ours = asking('https://own.example.com/{contact-id}');
  t.is(startWebhookFault(ours, rules, true), undefined);
  t.regex(startWebhookFault(ours, rules, false) ?? '', /signed start requests only: set TRIGGER_SECRET/);
  t.regex(
    startWebhookFault(asking('https://other.example.com/planted'), rules, true) ?? '',
    /^results\.webhook names the host/,
  );
  t.regex(startWebhookFault(ours, { ...rules, secret: undefined }, true) ?? '', /needs RESULTS_SECRET/);
  for (const request of [asking(null), requestOf('a')]) t.is(startWebhookFault(request, rules, false), undefined);
});
