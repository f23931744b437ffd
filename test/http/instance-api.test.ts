import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { signatureHeaders, TIMEOUT_HEADER } from '../../daemon/contract/signing.ts';
import { DeepgramRefused } from '../../daemon/deepgram/errors.ts';
import { instanceApi } from '../../daemon/http/instance-api.ts';
import { kinesisRefusal } from '../../daemon/kinesis/refusal.ts';
import { listening } from '../support/loopback.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const BODY = JSON.stringify({
  contactId: 'contact-1',
  kvsStream: {
    arn: 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/calls/1700000000000',
    startFragmentNumber: '91343852333181432392682062622220590765191907586',
  },
  dgParams: {},
  enforceRealtime: false,
});

/** The API with a trigger secret that the test changes behind its back. */
async function stage(t: ExecutionContext) {
  const clock = new VirtualClock();
  const secret = { known: ['first-secret'], stored: ['first-secret'], renewals: 0, renewTakesMs: 0 };
  const timeouts: number[] = [];
  const session: { refusal: Error | undefined } = { refusal: undefined };
  const closed: { why: 'full' | undefined; checks: number } = { why: undefined, checks: 0 };
  const { log, of } = recordedLog();
  const listener = instanceApi({
    manager: {
      size: 7,
      admission: {
        healthStatus: () => closed.why,
        requestArrived: () => {
          closed.checks++;
        },
      },
      start: async ({ contactId }, timeoutMs) => {
        timeouts.push(timeoutMs);
        if (session.refusal) throw session.refusal;
        return { sessionId: 'session-1', contactId, status: 'started' };
      },
    },
    clock,
    log,
    metrics: { startSucceeded: () => {}, startFailed: () => {} },
    metricsPage: undefined,
    region: 'us-east-1',
    webhookRules: { secret: undefined, defaultHost: undefined, allowsLocal: false },
    triggerSecret: {
      get current() {
        return secret.known[0] as string;
      },
      get accepted() {
        return secret.known;
      },
      async renew() {
        secret.renewals += 1;
        clock.forward(secret.renewTakesMs);
        secret.known = secret.stored;
      },
    },
  });
  const url = `http://127.0.0.1:${await listening(t, createServer(listener))}`;
  const start = async (signedWith: string, headers: Record<string, string> = {}, sent = BODY) => {
    const signed = { ...signatureHeaders(signedWith, sent, clock.epoch()), ...headers };
    const response = await fetch(new URL('/start-session', url), { method: 'POST', body: sent, headers: signed });
    const body = (await response.json()) as Record<string, unknown>;
    const { status } = response;
    const [dgErrorHeader, retryAfter] = ['dg-error', 'retry-after'].map((name) => response.headers.get(name));
    return { ...body, status, dgErrorHeader, retryAfter };
  };
  const health = (method = 'GET') => fetch(new URL('/health-check', url), { method });
  return { clock, secret, timeouts, session, closed, start, health, url, of };
}

test('a start signed with a changed trigger secret succeeds at once, and so does one signed before', async (t) => {
  const { secret, start } = await stage(t);
  secret.stored = ['second-secret', 'first-secret'];
  t.like(await start('second-secret'), { status: 200, sessionId: 'session-1' });
  t.like(await start('first-secret'), { status: 200 });
  t.is(secret.renewals, 1);
});

test('a wrong signature is refused after the secret was read again', async (t) => {
  const { secret, start } = await stage(t);
  t.like(await start('some-other-secret'), { status: 401, reason: 'bad-signature', retryable: false });
  t.is(secret.renewals, 1);
});

test('a signature older than five minutes is refused without reading the secret again', async (t) => {
  const { clock, secret, start } = await stage(t);
  const headers = signatureHeaders('first-secret', BODY, clock.epoch());
  clock.forward(300_000);
  t.like(await start('first-secret', headers), { status: 200 });
  clock.forward(1000);
  t.like(await start('first-secret', headers), { status: 401, reason: 'stale-signature' });
  t.is(secret.renewals, 0);
});

test('a caller may wait for less than the longest time, and not for more', async (t) => {
  const { timeouts, start } = await stage(t);
  for (const asked of ['2500', '60000', 'soon']) await start('first-secret', { [TIMEOUT_HEADER]: asked });
  t.deepEqual(timeouts, [2500, 6000, 6000]);
});

test('the time for the request itself counts', async (t) => {
  const { secret, timeouts, start } = await stage(t);
  secret.stored = ['second-secret'];
  secret.renewTakesMs = 1900;
  await start('second-secret', { [TIMEOUT_HEADER]: '6400' });
  t.deepEqual(timeouts, [4100]);
  secret.stored = ['third-secret'];
  secret.renewTakesMs = 2500;
  t.like(await start('third-secret', { [TIMEOUT_HEADER]: '2500' }), {
    status: 504,
    reason: 'start-timeout',
    retryable: true,
  });
  t.is(timeouts.length, 1);
});

test('a webhook that is not posted to is refused by its own reason', async (t) => {
  const { start } = await stage(t);
  const body = JSON.stringify({ ...JSON.parse(BODY), results: { webhook: 'https://a.example' } });
  t.like(await start('first-secret', {}, body), { status: 400, reason: 'bad-webhook', retryable: false });
});

test('a start without AWS credentials is not ready, and can be retried', async (t) => {
  const { session, start } = await stage(t);
  const cause = Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' });
  session.refusal = kinesisRefusal(cause, 'a stream');
  t.like(await start('first-secret'), { status: 503, reason: 'not-ready', retryable: true });
});

test('an error of Deepgram that no header can hold reaches the caller in the body, and as ASCII in the header', async (t) => {
  const { session, start } = await stage(t);
  session.refusal = new DeepgramRefused(400, 'Bad Request: no keyterm\n東京', 'request-1');
  t.like(await start('first-secret'), {
    status: 502,
    dgError: 'Bad Request: no keyterm\n東京',
    dgErrorHeader: 'Bad Request: no keyterm???',
  });
});

test('Deepgram’s Retry-After reaches the caller, in whole seconds and at least 1', async (t) => {
  const { session, start } = await stage(t);
  for (const [retryAfterMs, retryAfter] of [
    [undefined, '1'],
    [300, '1'],
    [6100, '7'],
  ] as const) {
    session.refusal = new DeepgramRefused(429, undefined, 'request-1', { retryAfterMs });
    t.like(await start('first-secret'), { status: 503, retryAfter });
  }
  session.refusal = new DeepgramRefused(401, undefined, 'request-1', { retryAfterMs: 6100 });
  t.like(await start('first-secret'), { status: 502, retryAfter: null });
});

test('the health check fails while no starts are wanted', async (t) => {
  const { closed, health } = await stage(t);
  const healthy = await health();
  t.is(healthy.status, 200);
  t.deepEqual(await healthy.json(), { status: 'serving', sessions: 7 });
  closed.why = 'full';
  const full = await health();
  t.is(full.status, 503);
  t.deepEqual(await full.json(), { status: 'full', sessions: 7 });
});

test('HEAD /health-check answers as GET does, without a body', async (t) => {
  const { closed, health } = await stage(t);
  const healthy = await health('HEAD');
  t.deepEqual([healthy.status, await healthy.text()], [200, '']);
  closed.why = 'full';
  t.is((await health('HEAD')).status, 503);
  t.is(closed.checks, 2, 'the daemon knows that somebody may send starts');
});

test('a start whose client hangs up within the body is the client’s fault, and no line above debug', async (t) => {
  const { url, of } = await stage(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`POST /start-session HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${BODY.length}\r\n\r\n{"contactId"`);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  while (of('start.refused').length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.like(of('start.refused'), [{ level: 'debug', status: 400, reason: 'body-cut-off' }]);
});
