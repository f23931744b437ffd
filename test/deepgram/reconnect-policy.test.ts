import test from 'ava';
import { DeepgramRefused, DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { ReconnectPolicy } from '../../daemon/deepgram/reconnect-policy.ts';

const GIVE_UP_MS = 60_000;
const LOST = new Error('lost');
const UNREACHABLE = new DeepgramUnreachable('example.org', new Error('ECONNREFUSED'));
const policy = (random = 0) => new ReconnectPolicy(GIVE_UP_MS, () => random);
const refused = (status: number) => new DeepgramRefused(status, status === 400 ? 'Bad Request' : undefined, undefined);
const closed = (
  code: number,
  {
    closeStreamSent = false,
    closingForMs = 0,
    isFinished = false,
    openedAtMs = 0,
    processedToMs = 0,
    unprocessedMs = 0,
  } = {},
) => ({
  code,
  closeStreamSent,
  closingForMs,
  isFinished,
  processedToMs,
  unprocessedMs,
  openedAtMs,
});

for (const code of [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 4000]) {
  test(`a close with ${code} before CloseStream: reconnect`, (t) => {
    t.is(policy().afterClose(closed(code), LOST, 1000).name, 'reconnect');
  });
}

for (const [code, next] of [
  [1000, 'finish'],
  [1005, 'finish'],
  [1006, 'reconnect'],
] as const) {
  test(`a close with ${code} after CloseStream: ${next}`, (t) => {
    t.is(policy().afterClose(closed(code, { closeStreamSent: true }), LOST, 1000).name, next);
  });
}

test('the delay doubles from 250 ms to 5 s; jitter subtracts up to half', (t) => {
  const fullMs = [250, 500, 1000, 2000, 4000, 5000, 5000];
  for (const [random, share] of [
    [0, 0.5],
    [0.5, 0.75],
    [1 - 1e-9, 1],
  ] as const) {
    const one = policy(random);
    const steps = [one.afterClose(closed(1006), LOST, 1000)];
    while (steps.length < fullMs.length) steps.push(one.afterFailedHandshake(UNREACHABLE, 1000));
    t.deepEqual(
      steps.map((step) => step.name === 'reconnect' && step.delayMs),
      fullMs.map((ms) => Math.round(ms * share)),
    );
  }
});

test('after DEEPGRAM_GIVE_UP_MS it gives up, with the error of the last attempt', (t) => {
  const one = policy();
  one.afterClose(closed(1006), LOST, 1000);
  t.is(one.afterFailedHandshake(UNREACHABLE, 1000 + GIVE_UP_MS).name, 'reconnect');
  t.deepEqual(one.afterFailedHandshake(UNREACHABLE, 1001 + GIVE_UP_MS), { name: 'give-up', error: UNREACHABLE });
});

test('connections that last less than 10 s prolong the outage', (t) => {
  const one = policy();
  one.afterClose(closed(1006), LOST, 1000);
  const again = one.afterClose(closed(1006, { openedAtMs: 2000 }), LOST, 11_999);
  t.like(again, { name: 'reconnect', delayMs: 250 }, 'the second delay');
  t.is(one.afterClose(closed(1006, { openedAtMs: 60_000 }), LOST, 61_001).name, 'give-up');
});

test('a connection that lasted 10 s ends the outage: backoff and give-up time start over', (t) => {
  const one = policy();
  one.afterClose(closed(1006), LOST, 1000);
  one.afterFailedHandshake(UNREACHABLE, 2000);
  t.like(one.afterClose(closed(1006, { openedAtMs: 52_000 }), LOST, 62_000), { name: 'reconnect', delayMs: 125 });
  t.is(one.afterFailedHandshake(UNREACHABLE, 62_000 + GIVE_UP_MS).name, 'reconnect');
});

for (const status of [400, 401, 402, 403]) {
  test(`a handshake refused with ${status}: give up`, (t) => {
    const one = policy();
    one.afterClose(closed(1006), LOST, 1000);
    const error = refused(status);
    t.deepEqual(one.afterFailedHandshake(error, 1100), { name: 'give-up', error });
  });
}

for (const status of [200, 301, 404, 405, 407, 408, 414, 421, 425, 426, 429, 431, 500, 502, 503, 504]) {
  test(`a handshake refused with ${status}: reconnect`, (t) => {
    const one = policy();
    one.afterClose(closed(1006), LOST, 1000);
    t.is(one.afterFailedHandshake(refused(status), 1100).name, 'reconnect');
  });
}

test('a page that says 401 or 403 is a proxy’s, and so is a 400 that is not Deepgram’s: reconnect', (t) => {
  const one = policy();
  one.afterClose(closed(1006), LOST, 1000);
  for (const error of [
    new DeepgramRefused(401, undefined, undefined, { isForeign: true }),
    new DeepgramRefused(403, undefined, undefined, { isForeign: true }),
    new DeepgramRefused(400, undefined, undefined),
  ])
    t.is(one.afterFailedHandshake(error, 1100).name, 'reconnect');
});

test('Retry-After is obeyed up to 60 s, and the backoff follows it', (t) => {
  const delayMs = (retryAfterMs: number) => {
    const one = policy();
    one.afterClose(closed(1006), LOST, 1000);
    return one.afterFailedHandshake(new DeepgramRefused(503, undefined, undefined, { retryAfterMs }), 1100);
  };
  t.like(delayMs(7000), { delayMs: 7250 });
  t.like(delayMs(3_600_000), { delayMs: 60_250 });
});

test('sessions that are asked to wait for the same time do not come back at once', (t) => {
  const refused = new DeepgramRefused(429, undefined, undefined, { retryAfterMs: 3000 });
  const delays = [0, 0.25, 0.5, 0.75].map((random) => {
    const one = new ReconnectPolicy(GIVE_UP_MS, () => random);
    one.afterClose(closed(1006), LOST, 1000);
    for (let nth = 0; nth < 5; nth++) one.afterFailedHandshake(refused, 1100);
    const step = one.afterFailedHandshake(refused, 1100);
    return step.name === 'reconnect' && step.delayMs;
  });
  t.deepEqual(delays, [5500, 6125, 6750, 7375]);
});

test('the handshake’s time-out doubles after each time-out, from 5 s to 20 s, and only then', (t) => {
  const one = policy();
  const timedOut = new DOMException('too late', 'TimeoutError') as Error;
  const timeouts = [one.afterClose(closed(1006), LOST, 1000)];
  for (const cause of [UNREACHABLE, timedOut, timedOut, timedOut]) timeouts.push(one.afterFailedHandshake(cause, 1000));
  t.deepEqual(
    timeouts.map((step) => step.name === 'reconnect' && step.handshakeTimeoutMs),
    [5000, 5000, 10_000, 20_000, 20_000],
  );
});

test('after CloseStream a line is replaced once; once the last message has arrived, it is not', (t) => {
  const one = policy();
  const odd = { closeStreamSent: true };
  t.is(one.afterClose(closed(1011, odd), LOST, 1000).name, 'reconnect');
  t.is(one.afterClose(closed(1011, odd), LOST, 2000).name, 'finish');
  t.is(policy().afterClose(closed(1011, { ...odd, isFinished: true }), LOST, 1000).name, 'finish');
});

test('after CloseStream a lost line is replaced again while each connection works off some of the backlog', (t) => {
  const one = policy();
  const lost = (processedToMs: number, unprocessedMs: number) =>
    one.afterClose(closed(1006, { closeStreamSent: true, processedToMs, unprocessedMs }), LOST, 1000).name;
  t.is(lost(20_000, 30_000), 'reconnect');
  t.is(lost(30_000, 20_000), 'reconnect');
  t.is(lost(45_000, 5000), 'reconnect');
  t.is(lost(45_500, 4500), 'finish');
  const odd = policy();
  const ended = (processedToMs: number, unprocessedMs: number) =>
    odd.afterClose(closed(4000, { closeStreamSent: true, processedToMs, unprocessedMs }), LOST, 1000).name;
  t.is(ended(20_000, 5000), 'reconnect');
  t.is(ended(25_000, 0), 'finish');
});

test('after CloseStream a line that is lost at work, again and again, is replaced five more times without progress', (t) => {
  const one = policy();
  const lost = (closingForMs: number) =>
    one.afterClose(
      closed(1006, { closeStreamSent: true, closingForMs, processedToMs: 20_000, unprocessedMs: 4000 }),
      LOST,
      1000,
    ).name;
  t.is(lost(1500), 'reconnect');
  for (let time = 1; time <= 5; time++) t.is(lost(1500), 'reconnect');
  t.is(lost(1500), 'finish');
});
