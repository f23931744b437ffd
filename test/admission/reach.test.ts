import test from 'ava';
import { CutOff, Reach } from '../../daemon/admission/reach.ts';
import { DeepgramRefused, DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { kinesisRefusal } from '../../daemon/kinesis/refusal.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const UNREACHABLE = new DeepgramUnreachable('api.deepgram.com', new Error('connect ECONNREFUSED'));
const noop = () => {};
const failing = (error: Error) => Promise.reject<string>(error);

function stage() {
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const network: { fault: 'hangs' | Error | undefined; probes: number } = { fault: undefined, probes: 0 };
  const probe = async (signal: AbortSignal) => {
    network.probes++;
    if (network.fault instanceof Error) throw network.fault;
    if (network.fault !== 'hangs') return;
    await new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(new DeepgramUnreachable('api.deepgram.com', signal.reason))),
    );
  };
  const reach = new Reach({ probe, clock, log });
  return { clock, of, network, reach };
}

test('a start that cannot connect, and a connection of our own that fails too: cut off until one succeeds', async (t) => {
  const { clock, of, network, reach } = stage();
  network.fault = UNREACHABLE;
  await t.throwsAsync(reach.follow(failing(UNREACHABLE), noop), { instanceOf: DeepgramUnreachable });
  await clock.settle();
  t.true(reach.cutOff instanceof CutOff);
  t.regex(reach.cutOff?.message ?? '', /^This instance is cut off: Deepgram at api.deepgram.com cannot be reached/);
  await clock.advance(60_000);
  t.is(of('daemon.cut-off').length, 1, 'logged once');
  t.is(network.probes, 61);
  network.fault = undefined;
  await clock.advance(2000);
  t.is(reach.cutOff, undefined);
  t.is(of('daemon.reachable-again').length, 1);
  const { probes } = network;
  await clock.advance(60_000);
  t.is(network.probes, probes, 'no probes without a doubt');
});

test('a start that cannot connect while others can does not cut the instance off', async (t) => {
  const { clock, network, reach } = stage();
  await t.throwsAsync(reach.follow(failing(UNREACHABLE), noop));
  await clock.advance(10_000);
  t.is(reach.cutOff, undefined);
  t.is(network.probes, 1);
});

test('without a route, pending starts are refused within 2.5 s and abandoned', async (t) => {
  const { clock, network, reach } = stage();
  network.fault = 'hangs';
  let abandoned = 0;
  const never = new Promise<string>(() => {});
  const starts = [reach.follow(never, () => abandoned++)];
  await clock.advance(900);
  starts.push(reach.follow(never, () => abandoned++));
  const outcomes = Promise.allSettled(starts);
  await clock.advance(1600);
  for (const outcome of await outcomes) t.true(outcome.status === 'rejected' && outcome.reason instanceof CutOff);
  t.is(abandoned, 2);
});

test('a slow start on a network that works continues', async (t) => {
  const { clock, reach } = stage();
  const { promise, resolve } = Promise.withResolvers<string>();
  const start = reach.follow(promise, () => t.fail());
  await clock.advance(5000);
  resolve('started');
  t.is(await start, 'started');
  t.is(reach.cutOff, undefined);
});

test('starts that are answered quickly cause no probe', async (t) => {
  const { clock, network, reach } = stage();
  for (let n = 0; n < 10; n++) await reach.follow(Promise.resolve('started'), noop);
  await t.throwsAsync(reach.follow(failing(new DeepgramRefused(401, undefined, undefined)), noop));
  await clock.advance(10_000);
  t.is(network.probes, 0);
});

for (const [what, cause, isCutOff] of [
  ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), true],
  ['a name that does not resolve', Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }), true],
  ['a time-out', Object.assign(new Error('late'), { name: 'TimeoutError' }), true],
  ['an aborted request', new DOMException('aborted', 'AbortError'), true],
  [
    'access denied',
    Object.assign(new Error('no'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } }),
    false,
  ],
  [
    'throttling',
    Object.assign(new Error('no'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } }),
    false,
  ],
  ['no credentials', Object.assign(new Error('no'), { name: 'CredentialsProviderError' }), false],
] as const) {
  test(`Kinesis Video answers with ${what}: ${isCutOff ? '' : 'not '}cut off`, async (t) => {
    const { clock, network, reach } = stage();
    const refusal = kinesisRefusal(cause, 'stream');
    network.fault = refusal;
    await t.throwsAsync(reach.follow(failing(isCutOff ? refusal : UNREACHABLE), noop));
    await clock.settle();
    t.is(reach.cutOff !== undefined, isCutOff);
  });
}
