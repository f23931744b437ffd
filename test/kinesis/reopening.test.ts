import test from 'ava';
import type { GapCause } from '../../daemon/contract/gap-causes.ts';
import { READ_STALL_MS } from '../../daemon/kinesis/call-end.ts';
import { KinesisRefused, kinesisRefusal, refusalInStream } from '../../daemon/kinesis/refusal.ts';
import { Reopening, type ReopeningFrom } from '../../daemon/kinesis/reopening.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { ExactTimers } from './exact-timers.ts';
import { type Answer, inOrder, ScriptedKinesis } from './scripted-kinesis.ts';
import { CONTACT } from './stream.ts';
import { unobserved } from './unobserved.ts';

const POSITION = { fragmentNumber: '7', continuationToken: 'token-7', producerEpochMs: 1_700_000_000_000 };
const FROM: ReopeningFrom = { position: POSITION, emptyAttempts: 0, streamError: undefined };
const THROTTLED = new KinesisRefused('ClientLimitExceededException', 'too often', undefined);
const GONE = refusalInStream('4000', 'fragment not found', CONTACT.streamArn);

/** Reopens a stream in virtual time; the result has the time. */
function reopening(
  answer: (clock: VirtualClock) => Answer,
  random = () => 0.5,
  begins?: { fragmentNumber: string; atEpochMs: number },
) {
  const clock = new VirtualClock({ nowMs: 0 });
  const kinesis = new ScriptedKinesis(clock, answer(clock));
  const stop = new AbortController();
  const metrics = new SessionMetrics();
  const troubles: GapCause[] = [];
  const onTrouble = (cause: GapCause) => troubles.push(cause);
  const options = { ...unobserved, timers: new ExactTimers(clock), random, metrics, onTrouble, signal: stop.signal };
  const contact = begins ? { ...CONTACT, start: { isCallStart: true, ...begins } as const } : CONTACT;
  const one = new Reopening(contact, kinesis, options);
  const reopen = async (from: Partial<ReopeningFrom> = {}) => {
    const reopened = one.reopen({ ...FROM, ...from }).then(
      (media) => ({ media, error: undefined, atMs: clock.now() }),
      (error: unknown) => ({ media: undefined, error, atMs: clock.now() }),
    );
    await clock.advance(10 * 60_000);
    return reopened;
  };
  return { clock, kinesis, metrics, troubles, stop, reopen, rewind: (atEpochMs: number) => one.rewind(atEpochMs) };
}

const answering =
  (...connections: Parameters<typeof inOrder>[1]) =>
  (clock: VirtualClock) =>
    inOrder(clock, connections);
/** Never answers, until the request is canceled. */
const silent: Answer = (_start, _nth, signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(kinesisRefusal(signal.reason, CONTACT.streamArn)));
  });

test('the first attempt is made at once, from the last complete fragment', async (t) => {
  const { reopen, kinesis, metrics } = reopening(answering({}));
  const { media } = await reopen();
  t.truthy(media);
  t.deepEqual(kinesis.requests, [{ start: POSITION, atMs: 0 }]);
  t.is(metrics.resumes, 1);
});

test('before the first complete fragment, it starts at the beginning of the call', async (t) => {
  const { reopen, kinesis } = reopening(answering({}));
  await reopen({ position: undefined });
  t.deepEqual(kinesis.requests[0]?.start, CONTACT.start);
});

test('delays grow from 250 ms to 2 s, each shortened at random by up to half', async (t) => {
  const FULL_MS = [250, 500, 1000, 2000, 2000, 2000];
  const refused = Array.from(FULL_MS, () => THROTTLED);
  for (const random of [() => 0, () => 0.5, () => 1 - Number.EPSILON]) {
    const { reopen, kinesis } = reopening(answering(...refused, {}), random);
    t.truthy((await reopen()).media);
    const atMs = kinesis.requests.map((request) => request.atMs);
    t.deepEqual(
      atMs.slice(1).map((ms, i) => ms - (atMs[i] as number)),
      FULL_MS.map((ms) => Math.round(ms * (0.5 + random() / 2))),
    );
  }
});

test('calls that lost their connections together do not all come back together', async (t) => {
  const atMs = new Set<number>();
  for (let call = 0; call < 20; call++) {
    const { reopen, kinesis } = reopening(answering(THROTTLED, THROTTLED, THROTTLED, {}), Math.random);
    await reopen();
    atMs.add(kinesis.requests[3]?.atMs ?? 0);
  }
  t.true(atMs.size > 10, `${atMs.size} moments for 20 calls`);
});

test('after empty attempts, delays continue from there', async (t) => {
  const { reopen, kinesis } = reopening(answering(THROTTLED, {}), () => 0);
  await reopen({ emptyAttempts: 3 });
  t.deepEqual(
    kinesis.requests.map(({ atMs }) => atMs),
    [500, 1500],
  );
});

test('a GetMedia without a response within READ_STALL_MS is retried', async (t) => {
  const { reopen, kinesis } = reopening((clock) => (start, nth, signal) => {
    const answer = nth === 0 ? silent : inOrder(clock, [{}]);
    return answer(start, nth, signal);
  });
  t.truthy((await reopen()).media);
  t.true((kinesis.requests[1]?.atMs ?? 0) >= READ_STALL_MS);
  t.true((kinesis.requests[1]?.atMs ?? Infinity) <= READ_STALL_MS + 250);
});

test('after five minutes of refusals it gives up with the last one', async (t) => {
  const { reopen, kinesis } = reopening(answering(THROTTLED));
  const { error, atMs } = await reopen();
  t.is(error, THROTTLED);
  t.true(atMs > 5 * 60_000 && atMs <= 5 * 60_000 + 2000, `after ${atMs} ms`);
  t.true(kinesis.requests.length > 150);
});

test('a permanent refusal ends the call at once', async (t) => {
  const refusal = new KinesisRefused('ResourceNotFoundException', 'no such stream', undefined);
  const { reopen } = reopening(answering(THROTTLED, refusal, {}));
  const { error, atMs } = await reopen();
  t.is(error, refusal);
  t.true(atMs <= 250);
});

test('an unexpected error is not retried', async (t) => {
  const fault = new TypeError('a bug');
  const { reopen, kinesis } = reopening(answering(fault));
  t.is((await reopen()).error, fault);
  t.is(kinesis.requests.length, 1);
});

test('a permanent error in the stream ends the call without another request', async (t) => {
  const { reopen, kinesis } = reopening(answering({}));
  const streamError = refusalInStream('4502', 'the key is disabled', CONTACT.streamArn);
  t.is((await reopen({ streamError })).error, streamError);
  t.deepEqual(kinesis.requests, []);
});

test('when the next fragment is gone, it resumes at the time of the last complete one', async (t) => {
  const { reopen, kinesis, troubles } = reopening(answering(THROTTLED, {}));
  await reopen({ streamError: GONE });
  const start = { atEpochMs: POSITION.producerEpochMs };
  t.deepEqual(
    kinesis.requests.map((request) => request.start),
    [start, start],
  );
  t.deepEqual(troubles, ['fragment-gone']);
});

test('when the first fragment is gone, it starts shortly before the session did', async (t) => {
  const { reopen, kinesis, clock } = reopening(answering({}));
  const startedAtEpochMs = clock.epoch();
  await clock.advance(60_000);
  await reopen({ streamError: GONE, position: undefined });
  t.deepEqual(kinesis.requests[0]?.start, { atEpochMs: startedAtEpochMs - 10_000 });
});

test('when the first fragment is gone, an earlier time can be requested', async (t) => {
  const { reopen, kinesis, rewind } = reopening(answering({}));
  await reopen({ streamError: GONE, position: undefined });
  rewind(1_690_000_000_000);
  await reopen({ position: undefined });
  t.deepEqual(kinesis.requests[1]?.start, { atEpochMs: 1_690_000_000_000 });
});

test('a place that Kinesis rejects, by number as well, is requested by its time', async (t) => {
  const cause = Object.assign(new Error('no such place'), { $metadata: { httpStatusCode: 400 } });
  const REJECTED = new KinesisRefused('InvalidArgumentException', 'no such place', cause);
  const { reopen, kinesis } = reopening(answering(REJECTED, THROTTLED, {}));
  t.truthy((await reopen()).media);
  const byTime = { atEpochMs: POSITION.producerEpochMs };
  t.deepEqual(
    kinesis.requests.map(({ start }) => start),
    [POSITION, byTime, byTime],
  );
});

test('the beginning of a call can be looked for by its number alone', async (t) => {
  const { reopen, kinesis } = reopening(answering({}), undefined, {
    fragmentNumber: '3',
    atEpochMs: 1_700_000_000_000,
  });
  await reopen({ position: undefined, isByNumber: true });
  t.deepEqual(kinesis.requests[0]?.start, { fragmentNumber: '3' });
});

for (const [when, answer] of [
  ['between two attempts', answering(THROTTLED)],
  ['while Kinesis is silent', () => silent],
] as const) {
  test(`stopped ${when}, it ends without another attempt`, async (t) => {
    const { reopen, clock, stop, kinesis } = reopening(answer);
    const reopened = reopen();
    await clock.advance(1);
    stop.abort();
    await clock.settle();
    const { media, error } = await reopened;
    t.is(media, undefined);
    t.is(error, undefined);
    t.is(kinesis.requests.length, 1);
  });
}
