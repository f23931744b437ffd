import test from 'ava';
import fc from 'fast-check';
import { signatureFault, TIMEOUT_HEADER } from '../../daemon/contract/signing.ts';
import { RETRY_POLICY } from '../../trigger/retry-policy.ts';
import { integratorThat, json, started } from './integrator.ts';
import { CONTACT_ID, contactFlowEvent, FRAGMENT, invoke, invokeAt, STREAM_ARN, triggerClock } from './invocation.ts';

const SECRET = 'a-secret-of-the-trigger';

/** The event with the value at `path` replaced; undefined removes it. */
function eventWith(path: string, value: unknown): unknown {
  const event = structuredClone(contactFlowEvent()) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place = event;
  for (const name of names) place = place[name] as Record<string, unknown>;
  if (value === undefined) delete place[last];
  else place[last] = value;
  return event;
}

test('a start request has the body of the original, and the optional fields of ours', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  const attributes = { dg_model: 'nova', dg_callback: 'https://h/{contact-id}', dg_tag: 'a b', other: 'x' };
  const { result } = await invokeAt(domain, { attributes });
  t.deepEqual(result, { lambdaResult: 'success', reason: 'started', retryable: 'false', sessionId: 'session-1' });
  t.is(arrivals.length, 1);
  t.is(arrivals[0]?.method, 'POST');
  t.is(arrivals[0]?.path, '/start-session');
  t.is(arrivals[0]?.headers['content-type'], 'application/json');
  t.deepEqual(JSON.parse(arrivals[0]?.body ?? ''), {
    contactId: CONTACT_ID,
    kvsStream: { arn: STREAM_ARN, startFragmentNumber: FRAGMENT, startTimestamp: '2023-11-14T22:13:20.000Z' },
    dgParams: { model: 'nova', callback: `https://h/${CONTACT_ID}`, tag: ['a', 'b', 'dg_amazonconnect'] },
    enforceRealtime: false,
    contact: {
      initialContactId: '99992222-3333-4444-5555-aaaabbbbcccc',
      previousContactId: '88882222-3333-4444-5555-aaaabbbbcccc',
      instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/0000',
      channel: 'VOICE',
    },
  });
});

const FACTS: [what: string, changes: Record<string, unknown>, contact: unknown][] = [
  [
    'a transfer through a queue',
    {
      PreviousContactId: 'previous',
      InitialContactId: 'initial',
      InitiationMethod: 'TRANSFER',
      Queue: { ARN: 'arn:aws:connect:…/queue/1', Name: 'Support', OutboundCallerId: { Address: '+4930123456' } },
    },
    {
      previousContactId: 'previous',
      initialContactId: 'initial',
      initiationMethod: 'TRANSFER',
      queueArn: 'arn:aws:connect:…/queue/1',
      queueName: 'Support',
      instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/0000',
      channel: 'VOICE',
    },
  ],
  [
    'an event that says nothing else',
    { PreviousContactId: null, InitialContactId: 7, InstanceARN: '', Channel: undefined, Queue: 'none' },
    undefined,
  ],
];
for (const [what, changes, contact] of FACTS) {
  test(`of ${what} the daemon gets what it may know, and no phone number`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, started);
    const event = contactFlowEvent();
    Object.assign(event.Details.ContactData, changes);
    await invoke(event, { env: { KVS_DG_INTEGRATOR_DOMAIN: domain } });
    const body = arrivals[0]?.body ?? '';
    t.deepEqual(JSON.parse(body).contact, contact);
    t.false(body.includes('+4930123456'));
  });
}

for (const [value, startTimestamp] of [
  ['1700000000000', '2023-11-14T22:13:20.000Z'],
  [1700000000000, '2023-11-14T22:13:20.000Z'],
  ['2023-11-14T22:13:20Z', '2023-11-14T22:13:20.000Z'],
  ['soon', undefined],
  [null, undefined],
  ['', undefined],
] as const) {
  test(`a StartTimestamp of ${JSON.stringify(value)} is sent as ${startTimestamp ?? 'nothing'}`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, started);
    const event = eventWith('Details.ContactData.MediaStreams.Customer.Audio.StartTimestamp', value);
    await invoke(event, { env: { KVS_DG_INTEGRATOR_DOMAIN: domain } });
    t.is(JSON.parse(arrivals[0]?.body ?? '').kvsStream.startTimestamp, startTimestamp);
  });
}

test('a load test requests real-time pacing', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  await invokeAt(domain, { attributes: { dgintegrator_enforcerealtime: 'true', dg_callback: 'UNSET' } });
  const { enforceRealtime, dgParams } = JSON.parse(arrivals[0]?.body ?? '');
  t.deepEqual({ enforceRealtime, dgParams }, { enforceRealtime: true, dgParams: { tag: 'dg_amazonconnect' } });
});

test('non-ASCII text arrives unchanged and signed', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  const attributes = { dg_keyterm: 'Müller 東京 😀', dg_search: 'half \ud83d' };
  const { result } = await invokeAt(domain, { attributes, env: { TRIGGER_SECRET: SECRET } });
  t.is(result.lambdaResult, 'success');
  const { headers = {}, body = '' } = arrivals[0] ?? {};
  t.deepEqual(JSON.parse(body).dgParams.keyterm, ['Müller', '東京', '😀']);
  t.is(signatureFault(SECRET, headers, body, Date.now()), undefined);
});

test('a path in the domain is kept', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  await invokeAt(`http://${domain}/prefix/`);
  t.is(arrivals[0]?.path, '/prefix/start-session');
});

test('the request is signed with the secret and the time of day', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  const signedAt = Date.parse('2031-05-06T07:08:09Z');
  const clock = triggerClock();
  clock.setEpoch(signedAt);
  await invokeAt(domain, { env: { TRIGGER_SECRET: SECRET }, clock });
  const { headers = {}, body = '' } = arrivals[0] ?? {};
  t.is(signatureFault(SECRET, headers, body, signedAt), undefined);
  t.is(signatureFault('another secret', headers, body, signedAt), 'bad-signature');
  t.is(signatureFault(SECRET, headers, body, signedAt + 600_000), 'stale-signature');
});

test('without a secret the request is unsigned', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  const { result } = await invokeAt(domain);
  t.is(result.lambdaResult, 'success');
  t.is(signatureFault(SECRET, arrivals[0]?.headers ?? {}, arrivals[0]?.body ?? '', Date.now()), 'missing-signature');
});

test('the daemon gets a time limit that ends before the trigger gives up', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  await invokeAt(domain);
  t.is(arrivals[0]?.headers[TIMEOUT_HEADER], String(RETRY_POLICY.budgetMs - RETRY_POLICY.responseMarginMs));
});

test('a start that takes all of its time limit still succeeds', async (t) => {
  const clock = triggerClock();
  const { domain } = await integratorThat(t, (response, _nth, { headers }) => {
    clock.forward(Number(headers[TIMEOUT_HEADER]));
    started(response);
  });
  const { result } = await invokeAt(domain, { clock });
  t.is(result.lambdaResult, 'success');
});

test('a function with little time left gives the daemon a shorter time limit', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  await invokeAt(domain, { context: { getRemainingTimeInMillis: () => 3000 } });
  t.is(arrivals[0]?.headers[TIMEOUT_HEADER], '2450', '250 ms for Lambda and 300 ms for the response');
});

for (const [what, event, code] of [
  ['no event', undefined, 'unexpected-event'],
  ['an empty event', {}, 'unexpected-event'],
  ['a text', 'ContactFlowEvent', 'unexpected-event'],
  ['another event', eventWith('Name', 'ScheduledEvent'), 'unexpected-event'],
  ['an event without details', eventWith('Details', null), 'contact-id-missing'],
  ['an event without a contact id', eventWith('Details.ContactData.ContactId', undefined), 'contact-id-missing'],
  ['a contact id that is a number', eventWith('Details.ContactData.ContactId', 7), 'contact-id-missing'],
  ['no media streams', eventWith('Details.ContactData.MediaStreams', undefined), 'media-streaming-missing'],
  ['null media streams', eventWith('Details.ContactData.MediaStreams', null), 'media-streaming-missing'],
  ['no customer', eventWith('Details.ContactData.MediaStreams.Customer', undefined), 'media-streaming-missing'],
  ['null audio', eventWith('Details.ContactData.MediaStreams.Customer.Audio', null), 'media-streaming-missing'],
  [
    'no stream',
    eventWith('Details.ContactData.MediaStreams.Customer.Audio.StreamARN', null),
    'media-streaming-missing',
  ],
  [
    'no start fragment',
    eventWith('Details.ContactData.MediaStreams.Customer.Audio.StartFragmentNumber', undefined),
    'media-streaming-missing',
  ],
  ['attributes that are a list', contactFlowEvent(['dg_model']), 'bad-attributes'],
  ['a locked parameter', contactFlowEvent({ dg_encoding: 'mulaw' }), 'locked-parameter'],
  ['several callbacks', contactFlowEvent({ dg_callback: 'https://a https://b' }), 'several-callbacks'],
  ['an attribute that is not text', contactFlowEvent({ dg_model: { nova: true } }), 'bad-attribute'],
] as const) {
  test(`${what} fails as ${code}, without a start request`, async (t) => {
    const { domain, arrivals } = await integratorThat(t, started);
    const { result } = await invoke(event, { env: { KVS_DG_INTEGRATOR_DOMAIN: domain } });
    t.like(result, { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
    t.regex(result.reason, new RegExp(`^${code}: .*(invoke|put|set|remove|give|correct)`, 'is'));
    t.is(arrivals.length, 0);
  });
}

test('missing or null attributes count as none', async (t) => {
  const { domain, arrivals } = await integratorThat(t, started);
  for (const attributes of [undefined, null]) {
    const event = eventWith('Details.ContactData.Attributes', attributes);
    const { result } = await invoke(event, { env: { KVS_DG_INTEGRATOR_DOMAIN: domain } });
    t.is(result.lambdaResult, 'success');
  }
  t.deepEqual(
    arrivals.map(({ body }) => JSON.parse(body).dgParams),
    [{ tag: 'dg_amazonconnect' }, { tag: 'dg_amazonconnect' }],
  );
});

for (const domain of [undefined, '', 'http://user:hunter2@lb.internal', 'no/such/form']) {
  test(`the domain ${domain} fails with the name of the setting`, async (t) => {
    const { result } = await invoke(contactFlowEvent(), { env: { KVS_DG_INTEGRATOR_DOMAIN: domain } });
    t.like(result, { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
    t.regex(result.reason, /^bad-setting: .*KVS_DG_INTEGRATOR_DOMAIN/);
    t.notRegex(result.reason, /hunter2/);
  });
}

test('for any event the result is a flat map of strings that says why', async (t) => {
  const anything = fc.oneof(
    fc.anything(),
    fc.anything().map((contact) => ({ Name: 'ContactFlowEvent', Details: { ContactData: contact } })),
    fc.anything().map((attributes) => contactFlowEvent(attributes)),
    fc.dictionary(fc.constantFrom('dg_a', 'dg_tag', 'dg_callback', 'x'), fc.anything()).map(contactFlowEvent),
    fc.anything().map((audio) => eventWith('Details.ContactData.MediaStreams.Customer.Audio', audio)),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (event) => {
      const { result } = await invoke(event);
      t.deepEqual(Object.keys(result).sort(), ['lambdaResult', 'reason', 'retryable', 'sessionId']);
      t.like(result, { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
      t.regex(result.reason, /^(?!trigger-fault)[a-z-]+: .{20,}/s);
      t.true(result.reason.length <= 1000);
    }),
    { numRuns: 300 },
  );
});

test('a reason stays short, however long an attribute name is', async (t) => {
  const { result } = await invoke(contactFlowEvent({ [`dg_${'x'.repeat(30_000)}`]: 1 }), {});
  t.true(result.reason.length <= 1000);
});

test('an internal error is a result too, and its place is in the log', async (t) => {
  const context = {
    getRemainingTimeInMillis: () => {
      throw new RangeError('planted-secret');
    },
  };
  const { result, lines } = await invokeAt('127.0.0.1:1', { context });
  t.like(result, { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
  t.regex(result.reason, /^trigger-fault: .*RangeError/);
  t.true(lines.some((line) => line.includes('invocation') || line.includes('handler.test')));
  t.false(JSON.stringify([result, lines]).includes('planted-secret'));
});

for (const [what, stopTimestamp, isStopped] of [
  ['a stream that was stopped', '1700000060000', true],
  ['a stream that was started again after a stop', '1699999990000', false],
  ['a stream that runs', undefined, false],
] as const) {
  test(`${what} is transcribed, ${isStopped ? 'with' : 'without'} a warning`, async (t) => {
    const { domain } = await integratorThat(t, started);
    const event = contactFlowEvent();
    Object.assign(event.Details.ContactData.MediaStreams.Customer.Audio, { StopTimestamp: stopTimestamp });
    const { result, lines } = await invoke(event, { env: { KVS_DG_INTEGRATOR_DOMAIN: domain } });
    t.is(result.lambdaResult, 'success');
    const warnings = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'trigger.stream-stopped');
    t.deepEqual(
      warnings.map(({ stoppedAt }) => stoppedAt),
      isStopped ? ['2023-11-14T22:14:20.000Z'] : [],
    );
  });
}

test('every attempt and every line of the log carry the trace of the invocation', async (t) => {
  const { domain, arrivals } = await integratorThat(t, (response, nth) => {
    if (nth === 1) json(response, 503, { reason: 'full', message: 'full', retryable: true });
    else started(response);
  });
  const xRayTraceId = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
  const traceId = '5759e988bd862e3fe1be46a994272793';
  const { lines } = await invokeAt(domain, { context: { xRayTraceId } });
  t.deepEqual(
    arrivals.map(({ headers }) => headers['traceparent']),
    Array(2).fill(`00-${traceId}-53995c3f42cd8ad8-01`),
  );
  t.deepEqual(
    lines.map((line) => [JSON.parse(line).event, JSON.parse(line).traceId]),
    [
      ['trigger.attempt-failed', traceId],
      ['trigger.succeeded', traceId],
    ],
  );
  const { arrivals: untraced, domain: other } = await integratorThat(t, started);
  await invokeAt(other);
  t.regex(String(untraced[0]?.headers['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});
