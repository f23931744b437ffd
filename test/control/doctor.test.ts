import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type DoctorOptions, examine } from '../../daemon/control/doctor.ts';
import type { LifecycleView } from '../../daemon/lifecycle/lifecycle.ts';
import { Egress } from '../../daemon/runtime/egress.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { listening, NOWHERE } from '../support/loopback.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const HOOK = { name: 'drain', transition: 'terminating', heartbeatTimeoutMs: 3_600_000 } as const;

/** The checks by name, on a healthy instance except for `changes` and a Deepgram where nothing listens. */
async function examined(changes: Partial<DoctorOptions> = {}) {
  const checks = await examine({
    settings: { region: 'us-east-1', stateDir: '/state', takesUnsignedStarts: false },
    manager: { size: 3, admission: { maxSessions: 10 } },
    kinesis: { probe: async () => ({ clockSkewMs: 0 }) },
    deepgram: { baseUrl: `ws://${NOWHERE}`, key: fixedSecret('key') },
    egress: new Egress(),
    lifecycle: lifecycle({ on: true, groupName: 'integrators', terminatingHooks: [HOOK] }),
    secrets: { managed: [] },
    results: { destinationChecks: () => [] },
    clock: new VirtualClock(),
    ...changes,
  });
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

const lifecycle = (view: LifecycleView) => ({ view: () => view });

/** A server that accepts connections and sends nothing; `reached` resolves with the first connection. */
async function silentServer(t: ExecutionContext) {
  const reached = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.resume();
    reached.resolve();
  });
  return { url: `ws://127.0.0.1:${await listening(t, server)}`, reached: reached.promise };
}

test('a Deepgram that does not respond fails the check after 5 s', async (t) => {
  const { url, reached } = await silentServer(t);
  const clock = new VirtualClock();
  let isExamined = false;
  const checks = examined({ clock, deepgram: { baseUrl: url, key: fixedSecret('key') } }).finally(() => {
    isExamined = true;
  });
  await reached;
  await clock.advance(4999);
  t.false(isExamined);
  await clock.advance(1);
  t.like((await checks)['deepgram'], { verdict: 'fail', detail: 'The operation was aborted due to timeout' });
});

test('a Kinesis that does not respond fails the check after 5 s', async (t) => {
  const clock = new VirtualClock();
  const probe = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const checks = examined({ clock, kinesis: { probe } });
  await clock.advance(5000);
  const check = (await checks)['kinesis video'];
  t.is(check?.verdict, 'fail');
  t.regex(check?.remedy ?? '', /check the region, DNS and the route .* in us-east-1/);
});

for (const [clockSkewMs, verdict] of [
  [-29_999, 'ok'],
  [30_000, 'warn'],
  [-300_000, 'fail'],
] as const) {
  test(`a clock that is ${clockSkewMs} ms off is ${verdict}`, async (t) => {
    const checks = await examined({ kinesis: { probe: async () => ({ clockSkewMs }) } });
    t.is(checks['clock']?.verdict, verdict);
  });
}

for (const [what, view, verdict] of [
  ['off EC2', { on: false }, 'ok'],
  ['with a metadata service that does not respond', { on: true, fault: 'no response' }, 'warn'],
  ['outside a group', { on: true }, 'warn'],
  ['without a terminating hook', { on: true, groupName: 'integrators', terminatingHooks: [] }, 'fail'],
  ['with a hook', { on: true, groupName: 'integrators', terminatingHooks: [HOOK] }, 'ok'],
  [
    'with a hook that times out too soon',
    { on: true, groupName: 'integrators', terminatingHooks: [{ ...HOOK, heartbeatTimeoutMs: 59_999 }] },
    'warn',
  ],
] as const) {
  test(`${what}, the lifecycle hook is ${verdict}`, async (t) => {
    const check = (await examined({ lifecycle: lifecycle(view) }))['lifecycle hook'];
    t.is(check?.verdict, verdict);
    if (verdict === 'fail' || 'fault' in view) t.truthy(check?.remedy);
  });
}

test('secrets are read again, and one that cannot be read is a warning', async (t) => {
  let renewals = 0;
  const renew = async () => {
    renewals += 1;
  };
  const managed = [
    { setting: 'DEEPGRAM_API_KEY_SECRET_ARN', arn: 'arn:key', fault: undefined, renew },
    { setting: 'TRIGGER_SECRET_ARN', arn: 'arn:trigger', fault: 'arn:trigger cannot be read now', renew },
  ];
  const checks = await examined({ secrets: { managed } });
  t.is(renewals, 2);
  t.like(checks['secret DEEPGRAM_API_KEY_SECRET_ARN'], { verdict: 'ok', detail: 'read from arn:key' });
  t.like(checks['secret TRIGGER_SECRET_ARN'], { verdict: 'warn', detail: 'arn:trigger cannot be read now' });
});

test('a nearly full instance, unsigned starts and missing checkpoints are warnings', async (t) => {
  const checks = await examined({
    settings: { region: 'us-east-1', stateDir: undefined, takesUnsignedStarts: true },
    manager: { size: 9, admission: { maxSessions: 10 } },
  });
  for (const name of ['signed starts', 'checkpoints', 'capacity']) t.is(checks[name]?.verdict, 'warn', name);
  t.is((await examined())['capacity']?.verdict, 'ok');
});

test('too few open files for the sessions is a failure', async (t) => {
  const checks = await examined({ manager: { size: 0, admission: { maxSessions: 1e9 } } });
  const remedy = 'raise LimitNOFILE in the unit (without one, ulimit -n), or lower MAX_SESSIONS';
  t.like(checks['file limit'], { verdict: 'fail', remedy });
});
