import test, { type ExecutionContext } from 'ava';
import { NOWHERE } from '../support/loopback.ts';
import { type Line, Program } from '../support/process.ts';
import { integratorThat, json, started } from './integrator.ts';
import { CONTACT_ID, contactFlowEvent } from './invocation.ts';

const SECRETS = {
  triggerSecret: 'planted-trigger-secret',
  attribute: 'planted-attribute-value',
  callbackUser: 'planted-user',
  callbackPassword: 'planted-password',
  callbackHost: 'planted-host.example',
  domainPassword: 'planted-domain-password',
};

const CALLBACK = `https://${SECRETS.callbackUser}:${SECRETS.callbackPassword}@${SECRETS.callbackHost}/{contact-id}`;
const ATTRIBUTES = {
  dg_callback: CALLBACK,
  dg_keyterm: `${SECRETS.attribute}  twice`,
  dg_model: '',
  customerName: SECRETS.attribute,
};

type Case = [
  what: string,
  attributes: unknown,
  lambdaResult: string,
  domainOf: (t: ExecutionContext) => Promise<string>,
];

const integratorOf = (answer: Parameters<typeof integratorThat>[1]) => async (t: ExecutionContext) =>
  (await integratorThat(t, answer)).domain;

/** Runs the function in a process of its own, as Lambda does; returns its result and everything it wrote. */
async function invokeProcess(domain: string, attributes: unknown, env: Record<string, string> = {}) {
  const program = new Program('test/trigger/invoke.ts', [JSON.stringify(contactFlowEvent(attributes))], {
    KVS_DG_INTEGRATOR_DOMAIN: domain,
    TRIGGER_SECRET: SECRETS.triggerSecret,
    LOG_LEVEL: 'debug',
    ...env,
  });
  const { answer } = await program.line((line) => 'answer' in line);
  await program.exited;
  const log = program.lines.filter((line) => !('answer' in line));
  return { answer: answer as Line, log, written: JSON.stringify(log) + program.stderr };
}

for (const [what, attributes, lambdaResult, domainOf] of [
  ['a session that starts', ATTRIBUTES, 'success', integratorOf(started)],
  [
    'a daemon that is full at first',
    ATTRIBUTES,
    'success',
    integratorOf((response, nth) => {
      if (nth === 1) json(response, 503, { reason: 'full', message: CALLBACK, retryable: true });
      else started(response);
    }),
  ],
  [
    'a daemon that repeats a callback in its message',
    ATTRIBUTES,
    'fail',
    integratorOf((response) => json(response, 400, { reason: 'bad-parameter', message: CALLBACK, retryable: false })),
  ],
  ['an echo server', ATTRIBUTES, 'fail', integratorOf((response, _nth, { body }) => response.end(body))],
  [
    'an echo in the place of the code',
    ATTRIBUTES,
    'fail',
    integratorOf((response) => json(response, 400, { reason: CALLBACK, message: CALLBACK, retryable: false })),
  ],
  ['a domain with a password', ATTRIBUTES, 'fail', async () => `http://user:${SECRETS.domainPassword}@lb:bad`],
  ['a password in a host', ATTRIBUTES, 'fail', async () => `user:${SECRETS.domainPassword}@lb`],
  ['several callbacks', { ...ATTRIBUTES, dg_callback: `${CALLBACK} ${CALLBACK}` }, 'fail', async () => NOWHERE],
  ['a locked parameter', { ...ATTRIBUTES, dg_encoding: SECRETS.attribute }, 'fail', async () => NOWHERE],
  ['an attribute that is not text', { ...ATTRIBUTES, dg_model: [SECRETS.attribute] }, 'fail', async () => NOWHERE],
] as Case[]) {
  test(`${what} leaves no secret in the log`, async (t) => {
    const { answer, log, written } = await invokeProcess(await domainOf(t), attributes);
    t.is(answer['lambdaResult'], lambdaResult);
    t.true(log.some(({ event, contactId }) => typeof event === 'string' && contactId === CONTACT_ID));
    for (const [name, secret] of Object.entries(SECRETS)) t.false(written.includes(secret), `${name}: ${written}`);
  });
}

test('attributes with an empty value are warned about by name', async (t) => {
  const { domain } = await integratorThat(t, started);
  const { log } = await invokeProcess(domain, ATTRIBUTES);
  const warned = log.filter(({ event, level }) => event === 'trigger.empty-value' && level === 'warn');
  t.deepEqual(
    warned.map(({ attribute }) => attribute),
    ['dg_keyterm', 'dg_model'],
  );
});

test('LOG_LEVEL silent writes nothing', async (t) => {
  const { answer, written } = await invokeProcess('', ATTRIBUTES, { LOG_LEVEL: 'silent' });
  t.is(answer['lambdaResult'], 'fail');
  t.is(written, '[]');
});
