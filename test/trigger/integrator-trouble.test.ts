import type { Socket } from 'node:net';
import test from 'ava';
import { signatureFault, TIMESTAMP_HEADER } from '../../daemon/contract/signing.ts';
import { outcomeOfError } from '../../trigger/outcome.ts';
import { RETRY_POLICY } from '../../trigger/retry-policy.ts';
import { NOWHERE } from '../support/loopback.ts';
import { integratorThat, json, passTime, socketsThat, started } from './integrator.ts';
import { invokeAt, triggerClock } from './invocation.ts';

const FULL = { reason: 'at-capacity', message: 'This instance is full: try another.', retryable: true };
const HTTP_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
/** A contact flow gets its result within this time, whatever the daemon does (trigger/README.md). */
const FLOW_LIMIT_MS = 7000;
/** The trigger's delays if every attempt fails immediately and `random` is 0.5; the last one is the time left. */
const ALL_DELAYS_MS = [75, 150, 300, ...Array<number>(7).fill(600), 575];

test('a daemon that does not respond costs the flow the budget, less than 7 s', async (t) => {
  const clock = triggerClock();
  const { domain, arrivals } = await integratorThat(t, ({ socket }) => passTime(clock, socket));
  const { result, tookMs } = await invokeAt(domain, { clock });
  t.like(result, { lambdaResult: 'fail', retryable: 'true', sessionId: '' });
  t.regex(result.reason, /^integrator-timeout: .*look for this contact/);
  t.is(arrivals.length, 1);
  t.true(tookMs >= RETRY_POLICY.budgetMs && tookMs < FLOW_LIMIT_MS, `${tookMs} ms`);
});

test("a function's timeout takes precedence over the budget", async (t) => {
  const clock = triggerClock();
  const { domain } = await integratorThat(t, ({ socket }) => passTime(clock, socket));
  const context = { getRemainingTimeInMillis: () => 2000 };
  const { result, tookMs } = await invokeAt(domain, { context, clock });
  t.regex(result.reason, /^integrator-timeout: /);
  t.true(tookMs < 2000, `${tookMs} ms`);
});

test('a response that stops halfway times out', async (t) => {
  const clock = triggerClock();
  const { domain } = await integratorThat(t, (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"sessionId": "s');
    passTime(clock, response.socket);
  });
  const { result, tookMs } = await invokeAt(domain, { clock });
  t.like(result, { lambdaResult: 'fail', retryable: 'true', sessionId: '' });
  t.regex(result.reason, /^integrator-timeout: /);
  t.true(tookMs < FLOW_LIMIT_MS);
});

test('headers that never end time out', async (t) => {
  const clock = triggerClock();
  const domain = await socketsThat(t, (socket) => {
    socket.once('data', () => {
      socket.write(HTTP_HEAD);
      const cancel = clock.every(50, () => socket.write('x-more: 1\r\n'));
      socket.once('close', cancel);
      passTime(clock, socket);
    });
  });
  const { result, tookMs } = await invokeAt(domain, { clock });
  t.is(result.lambdaResult, 'fail');
  t.true(tookMs < FLOW_LIMIT_MS);
});

test('an unanswered TLS handshake is a failed connection, and is retried', async (t) => {
  const clock = triggerClock();
  let connections = 0;
  const domain = await socketsThat(t, (socket) => {
    connections += 1;
    passTime(clock, socket);
  });
  const { result, tookMs } = await invokeAt(`https://${domain}`, { clock });
  t.regex(result.reason, /^integrator-unreachable: https:\/\/127\.0\.0\.1:\d+ is unreachable \(no connection\)/);
  t.is(result.retryable, 'true');
  t.is(connections, 3, '2 s each, and the remaining time for the third');
  t.true(tookMs < FLOW_LIMIT_MS);
});

test('https to a server without TLS fails immediately', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  const { result } = await invokeAt(`https://${domain}`);
  t.like(result, { lambdaResult: 'fail', retryable: 'false' });
  t.regex(result.reason, /^integrator-unreachable: /);
  t.is(arrivals.length, 0);
});

test('a refused connection is retried, then reported', async (t) => {
  const { result, lines, tookMs, delaysMs } = await invokeAt(NOWHERE);
  t.like(result, { lambdaResult: 'fail', retryable: 'true', sessionId: '' });
  t.regex(result.reason, /^integrator-unreachable: .*ECONNREFUSED.*check KVS_DG_INTEGRATOR_DOMAIN/);
  t.deepEqual(delaysMs, ALL_DELAYS_MS);
  t.is(lines.filter((line) => line.includes('trigger.attempt-failed')).length, ALL_DELAYS_MS.length);
  t.is(tookMs, RETRY_POLICY.budgetMs - RETRY_POLICY.minAttemptMs);
});

for (const code of ['EAI_AGAIN', 'ENOTFOUND']) {
  test(`a name that cannot be resolved (${code}) is retried: the next look-up may find it`, (t) => {
    const outcome = outcomeOfError(Object.assign(new Error('getaddrinfo'), { code }), 'http://integrator.example');
    t.like(outcome, { retry: true, failure: { code: 'integrator-unreachable', retryable: true } });
  });
}

test('a connection that is reset is retried', async (t) => {
  const { domain, arrivals } = await integratorThat(t, (response, nth) => {
    if (nth === 1) response.socket?.resetAndDestroy();
    else started(response);
  });
  const { result } = await invokeAt(domain);
  t.is(result.lambdaResult, 'success');
  t.is(arrivals.length, 2);
});

for (const [what, cut] of [
  ['reset', (socket: Socket) => socket.resetAndDestroy()],
  ['closed', (socket: Socket) => socket.end()],
] as const) {
  test(`a connection that is ${what} in the middle of a response is retried`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, (response, nth) => {
      if (nth > 1) json(response, 200, { sessionId: 'session-1', status: 'already-running' });
      else response.writeHead(200).write('{"sessionId":', () => response.socket && cut(response.socket));
    });
    const { result } = await invokeAt(domain);
    t.like(result, { lambdaResult: 'success', reason: 'already-running', sessionId: 'session-1' });
    t.is(arrivals.length, 2);
  });
}

test('a connection that is always closed is reported', async (t) => {
  const domain = await socketsThat(t, (socket) => socket.once('data', () => socket.end()));
  const { result, delaysMs } = await invokeAt(domain);
  t.like(result, { lambdaResult: 'fail', retryable: 'true' });
  t.regex(result.reason, /^integrator-unreachable: .*ECONNRESET/);
  t.deepEqual(delaysMs, ALL_DELAYS_MS);
});

for (const [what, reply] of [
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['endless headers', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}`],
] as const) {
  test(`a server that sends ${what} is not integratord`, async (t) => {
    const domain = await socketsThat(t, (socket) => socket.once('data', () => socket.write(reply)));
    const { result } = await invokeAt(domain);
    t.like(result, { lambdaResult: 'fail', retryable: 'false' });
    t.regex(result.reason, /^integrator-bad-answer: /);
  });
}

test('a server that switches to another protocol times out', async (t) => {
  const clock = triggerClock();
  const reply = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
  const domain = await socketsThat(t, (socket) => {
    // Node's client closes the connection and reports nothing.
    socket.once('close', () => clock.forward(RETRY_POLICY.budgetMs));
    socket.once('data', () => socket.write(reply));
  });
  const { result, tookMs } = await invokeAt(domain, { clock });
  t.is(result.lambdaResult, 'fail');
  t.true(tookMs < FLOW_LIMIT_MS);
});

for (const body of [
  '',
  'OK',
  'null',
  '[]',
  '"started"',
  '{"sessionId": "s"}',
  '{"status": "started"}',
  '{"sessionId": "", "status": "started"}',
  '{"sessionId": "s", "status": ""}',
  '{"sessionId": 5, "status": "started"}',
  '{"sessionId": null, "status": null}',
  '{"sessionId": "s", "status": "started"',
  `{"sessionId": "${'s'.repeat(5000)}", "status": "started"}`,
  '{"sessionId": "s 1", "status": "started"}',
  '{"sessionId": "s", "status": "started\\u0000"}',
]) {
  test(`200 with ${body.slice(0, 60) || 'nothing'} is not a session`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, (response) => response.end(body));
    const { result } = await invokeAt(domain);
    t.like(result, { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
    t.regex(result.reason, /^integrator-bad-answer: .*does not name a session/);
    t.is(arrivals.length, 1);
  });
}

test('an endless body is not read to its end', async (t) => {
  let sentBytes = 0;
  const { domain } = await integratorThat(t, (response) => {
    const flood = () => {
      const chunk = ' '.repeat(100_000);
      sentBytes += chunk.length;
      if (!response.destroyed) response.write(chunk, () => setImmediate(flood));
    };
    flood();
  });
  const { result } = await invokeAt(domain);
  t.regex(result.reason, /^integrator-bad-answer: /);
  t.true(sentBytes < 50_000_000, `${sentBytes} bytes`);
});

test('a full daemon is retried, each time with a new signature', async (t) => {
  const clock = triggerClock();
  clock.setEpoch(Date.UTC(2026, 2, 14));
  const { domain, arrivals } = await integratorThat(t, (response, nth) => {
    if (nth < 6) json(response, 503, FULL, { 'retry-after': '1' });
    else started(response);
  });
  const { result, delaysMs } = await invokeAt(domain, { env: { TRIGGER_SECRET: 'secret' }, clock });
  t.deepEqual(delaysMs, [75, 150, 300, 1000, 1000], 'signatures have whole seconds');
  t.like(result, { lambdaResult: 'success', sessionId: 'session-1' });
  t.is(new Set(arrivals.map(({ headers }) => headers[TIMESTAMP_HEADER])).size, 3);
  for (const { headers, body } of arrivals) t.is(signatureFault('secret', headers, body, clock.epoch()), undefined);
});

test('a load balancer without a healthy instance is retried', async (t) => {
  const { domain, arrivals } = await integratorThat(t, (response, nth) => {
    if (nth === 1) response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Service Unavailable</h1>');
    else started(response);
  });
  const { result } = await invokeAt(domain);
  t.is(result.lambdaResult, 'success');
  t.is(arrivals.length, 2);
});

test('a fleet that stays full is reported as full', async (t) => {
  const { domain, arrivals } = await integratorThat(t, (response) => json(response, 503, FULL));
  const { result, delaysMs } = await invokeAt(domain);
  t.deepEqual(result, {
    lambdaResult: 'fail',
    reason: 'at-capacity: This instance is full: try another.',
    retryable: 'true',
    sessionId: '',
  });
  t.deepEqual(delaysMs, ALL_DELAYS_MS);
  t.is(arrivals.length, ALL_DELAYS_MS.length + 1);
});

test('a 503 that says it is final is not retried', async (t) => {
  const { domain, arrivals } = await integratorThat(t, (response) =>
    json(response, 503, { ...FULL, retryable: false }),
  );
  const { result } = await invokeAt(domain);
  t.is(result.retryable, 'false');
  t.is(arrivals.length, 1);
});

const OF_INSTANCE: [what: string, body: unknown][] = [
  ...['full', 'cordoned', 'draining', 'cut-off', 'thread-lost'].map((reason): [string, unknown] => [
    reason,
    { ...FULL, reason },
  ]),
  ['nothing from the daemon', 'Service Unavailable'],
];
for (const [what, body] of OF_INSTANCE) {
  test(`after a 503 with ${what} another instance may answer: Retry-After is the delay only before the fifth attempt`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, (response, nth) => {
      if (nth < 5) json(response, 503, body, { 'retry-after': '1' });
      else started(response);
    });
    const { result, delaysMs } = await invokeAt(domain);
    t.is(result.lambdaResult, 'success');
    t.deepEqual(delaysMs, [75, 150, 300, 1000]);
    t.is(arrivals.length, 5);
  });
}

for (const reason of ['deepgram-refused', 'deepgram-unreachable', 'kinesis-refused']) {
  test(`after a 503 ${reason}, which every instance would answer, Retry-After is the delay`, async (t) => {
    const { domain } = await integratorThat(t, (response, nth) => {
      if (nth === 1) json(response, 503, { ...FULL, reason }, { 'retry-after': '1' });
      else started(response);
    });
    const { result, delaysMs } = await invokeAt(domain);
    t.is(result.lambdaResult, 'success');
    t.deepEqual(delaysMs, [1000]);
  });
}

test('a Retry-After beyond the budget still leaves one real attempt', async (t) => {
  const { domain, arrivals } = await integratorThat(t, (response, nth) => {
    if (nth < 5) json(response, 503, FULL, { 'retry-after': '3600' });
    else started(response);
  });
  const { result, delaysMs } = await invokeAt(domain);
  t.is(result.lambdaResult, 'success');
  t.is(arrivals.length, 5);
  t.is(
    delaysMs.reduce((sum, ms) => sum + ms),
    RETRY_POLICY.budgetMs - RETRY_POLICY.minAttemptMs,
  );
});

for (const status of [502, 504]) {
  test(`a ${status} of a load balancer with one dead instance of two is retried`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, (response, nth) => {
      if (nth % 2 === 1) response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
      else started(response);
    });
    const { result, delaysMs } = await invokeAt(domain);
    t.is(result.lambdaResult, 'success');
    t.deepEqual(delaysMs, [75]);
    t.is(arrivals.length, 2);
  });

  test(`a ${status} of every instance is reported after the budget`, async (t) => {
    const { domain } = await integratorThat(t, (response) => response.writeHead(status).end());
    const { result, delaysMs } = await invokeAt(domain);
    t.like(result, { lambdaResult: 'fail', retryable: 'true' });
    t.regex(result.reason, new RegExp(`^integrator-http-${status}: .*check`));
    t.deepEqual(delaysMs, ALL_DELAYS_MS);
  });
}

for (const [status, body, retryable] of [
  [400, { reason: 'locked-parameter', message: 'encoding is ours to set.', retryable: false }, 'false'],
  [401, { reason: 'bad-signature', message: 'Set the same TRIGGER_SECRET on both sides.', retryable: false }, 'false'],
  [404, { reason: 'stream-not-found', message: 'Kinesis has no such stream.', retryable: false }, 'false'],
  [502, { reason: 'DeepgramRefused', message: 'INVALID_AUTH', retryable: false }, 'false'],
  [502, { reason: 'kinesis.timeout', message: 'Kinesis did not answer.', retryable: true }, 'true'],
] as const) {
  test(`a ${status} ${body.reason} of the daemon is passed on unchanged, without a retry`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, (response) => json(response, status, body));
    const { result } = await invokeAt(domain);
    const reason = `${body.reason}: ${body.message}`;
    t.deepEqual(result, { lambdaResult: 'fail', reason, retryable, sessionId: '' });
    t.is(arrivals.length, 1);
  });
}

for (const [what, refusal] of [
  ['an older daemon', { reason: 'bad-request', message: 'Unrecognized key: "contact"', retryable: false }],
  ['the original', 'Unrecognized field'],
] as const) {
  test(`${what}, which refuses a field that it does not know, gets the original's fields`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, (response, nth) => {
      if (nth === 1) json(response, 400, refusal);
      else started(response);
    });
    const clock = triggerClock();
    const { result, delaysMs, lines } = await invokeAt(domain, { env: { TRIGGER_SECRET: 'secret' }, clock });
    t.is(result.lambdaResult, 'success');
    t.deepEqual(delaysMs, []);
    const [first, second] = arrivals;
    const { contact, kvsStream, ...rest } = JSON.parse(first?.body ?? '');
    t.truthy(contact.initialContactId);
    const { startTimestamp, ...original } = kvsStream;
    t.truthy(startTimestamp);
    t.deepEqual(JSON.parse(second?.body ?? ''), { ...rest, kvsStream: original });
    t.is(signatureFault('secret', second?.headers ?? {}, second?.body ?? '', clock.epoch()), undefined);
    t.true(lines.some((line) => line.includes('trigger.fields-refused')));
  });
}

for (const webhook of ['https://calls.example/{contact-id}', 'UNSET']) {
  test(`a start with ${webhook} as its webhook keeps it, so that no call goes to another consumer`, async (t) => {
    const refusal = { reason: 'bad-request', message: 'Unrecognized key', retryable: false };
    const { domain, arrivals } = await integratorThat(t, (response, nth) => {
      if (nth === 1) json(response, 400, refusal);
      else started(response);
    });
    const { result } = await invokeAt(domain, { attributes: { dgintegrator_webhook: webhook } });
    t.is(result.lambdaResult, 'success');
    const [first, second] = arrivals.map(({ body }) => JSON.parse(body));
    t.deepEqual(second.results, first.results);
    t.true('webhook' in second.results);
  });
}

test('a webhook that the daemon does not post to fails the start, in the daemon’s words', async (t) => {
  const refusal = { reason: 'bad-webhook', message: 'results.webhook names the host a.example', retryable: false };
  const { domain, arrivals } = await integratorThat(t, (response) => json(response, 400, refusal));
  const { result } = await invokeAt(domain, { attributes: { dgintegrator_webhook: 'https://a.example' } });
  t.like(result, { lambdaResult: 'fail', reason: `bad-webhook: ${refusal.message}`, retryable: 'false' });
  t.is(arrivals.length, 1);
});

test('a daemon that refuses the original’s fields too is asked twice, and its refusal is passed on', async (t) => {
  const refusal = { reason: 'bad-request', message: 'dgParams must have at most 200 parameters', retryable: false };
  const { domain, arrivals } = await integratorThat(t, (response) => json(response, 400, refusal));
  const { result } = await invokeAt(domain);
  t.like(result, { lambdaResult: 'fail', reason: `bad-request: ${refusal.message}`, retryable: 'false' });
  t.is(arrivals.length, 2);
});

for (const [status, retryable] of [
  [201, 'false'],
  [204, 'false'],
  [301, 'false'],
  [403, 'false'],
  [404, 'false'],
  [429, 'true'],
  [500, 'true'],
] as const) {
  test(`HTTP ${status} without a reason is ${retryable === 'true' ? 'retryable' : 'not retryable'}`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, (response) => response.writeHead(status).end());
    const { result } = await invokeAt(domain);
    t.like(result, { lambdaResult: 'fail', retryable, sessionId: '' });
    t.regex(result.reason, new RegExp(`^integrator-http-${status}: .*check`));
    t.is(arrivals.length, 1);
  });
}

for (const body of [
  { reason: 'full' },
  { reason: '', message: 'm', retryable: true },
  { reason: 'full', message: 'm', retryable: 'true' },
  { reason: 'not a code', message: 'm', retryable: false },
  { reason: 5, message: 'm', retryable: false },
]) {
  test(`of 500 with ${JSON.stringify(body)} only the status counts`, async (t) => {
    const { domain } = await integratorThat(t, (response) => json(response, 500, body));
    const { result } = await invokeAt(domain);
    t.regex(result.reason, /^integrator-http-500: /);
    t.is(result.retryable, 'true');
  });
}

test('a long message of the daemon is cut, between characters', async (t) => {
  const message = 'x😀'.repeat(10_000);
  const { domain } = await integratorThat(t, (response) => json(response, 400, { ...FULL, message }));
  const { result } = await invokeAt(domain);
  t.true(result.reason.length <= 1000);
  t.true(result.reason.startsWith('at-capacity: x😀'));
  t.true(result.reason.isWellFormed());
});

test('a message of the daemon in several lines is one line for the flow, without control characters', async (t) => {
  const message = 'Deepgram refused it:\r\n\tfor “this”\u0000\u001b[31m\u2028reason';
  const { domain } = await integratorThat(t, (response) => json(response, 400, { ...FULL, message }));
  const { result } = await invokeAt(domain);
  t.is(result.reason, 'at-capacity: Deepgram refused it: for “this” [31m reason');
});
