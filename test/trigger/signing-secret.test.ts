import test, { type ExecutionContext } from 'ava';
import { signatureFault } from '../../daemon/contract/signing.ts';
import { createHandler } from '../../trigger/handler.ts';
import { secretsManagerFor } from '../secrets/secrets-manager-process.ts';
import { Program } from '../support/process.ts';
import { integratorThat, json, started } from './integrator.ts';
import { contactFlowEvent, triggerClock } from './invocation.ts';

const SECRET = 'planted-secret-of-the-trigger';
const NEW_SECRET = 'planted-secret-after-the-change';
const FIVE_MINUTES_MS = 300_000;

/** A function whose secret is in the Secrets Manager simulator, and a server that accepts signatures of `secret.now`. The
 *  environment of this process points the SDK to the simulator, so tests are serial. */
async function functionHere(t: ExecutionContext) {
  const { manager, env: aws } = await secretsManagerFor(t);
  Object.assign(process.env, aws);
  const secret = { now: SECRET };
  const clock = triggerClock();
  const { domain, arrivals } = await integratorThat(t, (response, _nth, { headers, body }) => {
    const reason = signatureFault(secret.now, headers, body, clock.epoch());
    if (reason === undefined) started(response);
    else json(response, 401, { reason, message: 'Is TRIGGER_SECRET the same here and there?', retryable: false });
  });
  const arn = await manager.put('trigger-secret', { text: `${SECRET}\n` });
  const lines: string[] = [];
  const handler = createHandler({
    env: { KVS_DG_INTEGRATOR_DOMAIN: domain, TRIGGER_SECRET_ARN: arn, LOG_LEVEL: 'debug' },
    clock,
    random: () => 0.5,
    writeLine: (line) => lines.push(line),
  });
  const change = async () => {
    secret.now = NEW_SECRET;
    await manager.put('trigger-secret', { text: NEW_SECRET });
  };
  return {
    manager,
    secret,
    clock,
    arrivals,
    change,
    invoke: () => handler(contactFlowEvent()),
    events: () => lines.map((line) => JSON.parse(line)['event'] as string),
    looks: async () => (await manager.requests()).length,
    written: () => lines.join('\n'),
  };
}

test.serial('a warm function reads its secret once', async (t) => {
  const { invoke, looks, written } = await functionHere(t);
  for (let nth = 0; nth < 3; nth += 1) t.like(await invoke(), { lambdaResult: 'success' });
  t.is(await looks(), 1);
  t.false(written().includes('planted'));
});

test.serial('a value is refreshed when it is five minutes old', async (t) => {
  const { invoke, looks, change, arrivals, clock } = await functionHere(t);
  await invoke();
  await change();
  clock.forward(FIVE_MINUTES_MS);
  t.like(await invoke(), { lambdaResult: 'success' });
  t.is(await looks(), 2);
  t.is(arrivals.length, 2, 'no signature was refused');
});

test.serial('a changed secret is read when the old one is refused, and the start succeeds', async (t) => {
  const { invoke, change, arrivals, events, written } = await functionHere(t);
  await invoke();
  await change();
  t.like(await invoke(), { lambdaResult: 'success' });
  t.is(arrivals.length, 3);
  t.true(events().includes('trigger.secret-changed'));
  t.like(await invoke(), { lambdaResult: 'success' });
  t.is(arrivals.length, 4);
  t.false(written().includes('planted'));
});

test.serial('a refused secret that has not changed is not tried again', async (t) => {
  const { invoke, secret, arrivals, looks } = await functionHere(t);
  secret.now = 'the-integrator-has-another';
  const result = await invoke();
  t.like(result, { lambdaResult: 'fail', retryable: 'false' });
  t.regex(result.reason, /^bad-signature: /);
  t.is(arrivals.length, 1);
  t.is(await looks(), 2);
});

test.serial('without Secrets Manager a warm function keeps working, and not every start is delayed', async (t) => {
  const { manager, invoke, looks, events, clock } = await functionHere(t);
  await invoke();
  await manager.setFaults({ status: 400, type: 'AccessDeniedException', times: null });
  clock.forward(FIVE_MINUTES_MS);
  t.like(await invoke(), { lambdaResult: 'success' });
  t.true(events().includes('trigger.secret-unread'));
  t.like(await invoke(), { lambdaResult: 'success' });
  t.is(await looks(), 2);
});

/** Runs the function in a process of its own, as Lambda does. */
async function coldStart(env: Record<string, string>) {
  const program = new Program('test/trigger/invoke.ts', [JSON.stringify(contactFlowEvent())], {
    LOG_LEVEL: 'debug',
    ...env,
  });
  const { answer } = await program.line((line) => 'answer' in line);
  await program.exited;
  return { answer: answer as Record<string, string>, written: JSON.stringify(program.lines) + program.stderr };
}

test.serial('a cold function without its secret fails with the reason, and without a start request', async (t) => {
  const { manager, env: aws } = await secretsManagerFor(t);
  const { domain, arrivals } = await integratorThat(t, started);
  const env = { ...aws, KVS_DG_INTEGRATOR_DOMAIN: domain };
  await manager.put('empty');
  await manager.put('denied', { text: SECRET, allowed: false });
  await manager.put('json', { text: JSON.stringify({ secret: SECRET }) });
  await manager.put('good', { text: SECRET });
  for (const [name, reason] of [
    ['empty', /^secret-empty: TRIGGER_SECRET_ARN: arn:\S+ has no value yet: run `aws secretsmanager put-secret-value/],
    ['missing', /^secret-not-found: TRIGGER_SECRET_ARN: arn:\S+ does not exist/],
    ['denied', /^secret-not-allowed: TRIGGER_SECRET_ARN: .*secretsmanager:GetSecretValue/],
    ['json', /^secret-unusable: TRIGGER_SECRET_ARN: .*holds a JSON object/],
  ] as const) {
    const { answer, written } = await coldStart({ ...env, TRIGGER_SECRET_ARN: manager.arn(name) });
    t.like(answer, { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
    t.regex(answer['reason'] ?? '', reason);
    t.false(written.includes('planted'), written);
  }
  await manager.setFaults({ hang: true, times: null });
  const { answer } = await coldStart({ ...env, TRIGGER_SECRET_ARN: manager.arn('good') });
  t.like(answer, { lambdaResult: 'fail', retryable: 'true' });
  t.regex(answer['reason'] ?? '', /^secret-unreachable: TRIGGER_SECRET_ARN: .*check DNS and the route/);
  t.is(arrivals.length, 0);

  await manager.setFaults();
  const { answer: succeeded, written } = await coldStart({ ...env, TRIGGER_SECRET_ARN: manager.arn('good') });
  t.like(succeeded, { lambdaResult: 'success' });
  t.is(signatureFault(SECRET, arrivals[0]?.headers ?? {}, arrivals[0]?.body ?? '', Date.now()), undefined);
  t.false(written.includes('planted'), written);
});
