import test from 'ava';
import { DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import type { Outcome } from '../../daemon/session/outcome.ts';
import type { SessionSeed } from '../../daemon/session/seed.ts';
import { StartTimedOut } from '../../daemon/threads/host.ts';
import { type HostDeps, LocalHost, type RunningSession } from '../../daemon/threads/local-host.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { checkpointOf, newSessionOf } from '../support/session-builders.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const GIVE_UP_MS = 60_000;
/** The timeout of one attempt to resume. */
const RESUME_TIMEOUT_MS = 6000;
/** Delay between attempts, with the jitter from `random` below. */
const RESUME_RETRY_MS = 750;

const SEED = { ...newSessionOf('a'), sessionId: 's' };
const GONE = new KinesisRefused('ResourceNotFoundException', 'no such stream', undefined);
const THROTTLED = new KinesisRefused('ClientLimitExceededException', 'too many', undefined);

/** A session that ends when a test calls `end`, or when it is stopped. */
function runningSession() {
  const sessionId = 's';
  const ended = Promise.withResolvers<Outcome>();
  const session: RunningSession = {
    sessionId,
    ending: ended.promise.then(() => {}),
    ended: ended.promise,
    stop: () => ended.resolve({ name: 'completed', reason: 'stopped' }),
    lagMs: 0,
    view: () => ({ sessionId }) as ReturnType<RunningSession['view']>,
    details: () => ({ params: {}, timeline: [] }),
  };
  return { session, end: ended.resolve };
}

/** A host whose sessions are started by `attempt`. */
function hostOf(attempt: (signal: AbortSignal, seed: SessionSeed) => Promise<RunningSession>) {
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const removed: string[] = [];
  const seeds: SessionSeed[] = [];
  const atMs: number[] = [];
  const checkpoints = { remove: async (sessionId: string) => void removed.push(sessionId) };
  const rest: string[] = [];
  const results = { deliverRest: async (sessionId: string) => void rest.push(sessionId) };
  const settings = { deepgramGiveUpMs: GIVE_UP_MS };
  const deps = { clock, log, random: () => 0.5, checkpoints, results, settings };
  const host = new LocalHost(deps as unknown as HostDeps, (seed, _deps, signal) => {
    seeds.push(seed);
    atMs.push(clock.now());
    return attempt(signal, seed);
  });
  return { clock, host, removed, rest, seeds, atMs, of };
}

/** Like Session.start, rejects with the signal's reason. */
function neverAnswers(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

test('a start times out at the caller’s deadline', async (t) => {
  const { clock, host } = hostOf(neverAnswers);
  const starting = t.throwsAsync(host.start(SEED, 2500), { instanceOf: StartTimedOut, message: /2500 ms/ });
  await clock.advance(2499);
  t.is(clock.pending, 1);
  await clock.advance(1);
  await starting;
  t.deepEqual(await host.views(), []);
});

test('a session that started in time is not affected by the deadline', async (t) => {
  let attempt: AbortSignal | undefined;
  const { clock, host, seeds } = hostOf(async (signal) => {
    attempt = signal;
    return runningSession().session;
  });
  await host.start(SEED, 2500);
  t.is(clock.pending, 0);
  await clock.advance(10_000);
  t.false(attempt?.aborted);
  t.deepEqual(seeds, [SEED]);
  t.is((await host.views()).length, 1);
  t.truthy(await host.details('s'));
  t.is(await host.details('another'), undefined);
});

test('a refused start is not retried', async (t) => {
  const { host, atMs } = hostOf(() => Promise.reject(THROTTLED));
  t.is(await t.throwsAsync(host.start(SEED, 2500)), THROTTLED);
  t.is(atMs.length, 1);
});

test('a session’s checkpoint is removed before `ended` resolves', async (t) => {
  const { session, end } = runningSession();
  const { host, removed } = hostOf(async () => session);
  const { ended } = await host.start(SEED, 2500);
  end({ name: 'failed', error: GONE });
  const outcome = await ended;
  t.like(outcome, { name: 'failed' });
  t.regex(outcome.name === 'failed' ? outcome.error.error : '', /^KinesisRefused: no such stream/);
  t.deepEqual(removed, ['s']);
  t.deepEqual(await host.views(), []);
});

test('a stopped session keeps its checkpoint on request', async (t) => {
  const { session } = runningSession();
  const { host, removed } = hostOf(async () => session);
  const hosted = await host.start(SEED, 2500);
  hosted.stop({ keepCheckpoint: true });
  hosted.stop({ keepCheckpoint: false });
  t.like(await hosted.ended, { name: 'completed', reason: 'stopped' });
  t.deepEqual(removed, []);
});

test('resuming is retried after refusals and timeouts', async (t) => {
  const failures = [THROTTLED, new DeepgramUnreachable('api.deepgram.com', new Error('ECONNREFUSED'))];
  const checkpoint = checkpointOf('a', 's');
  const { clock, host, removed, seeds, atMs, of } = hostOf((signal) => {
    const failure = failures.shift();
    if (failure) return Promise.reject(failure);
    return atMs.length === 3 ? neverAnswers(signal) : Promise.resolve(runningSession().session);
  });
  const beganAtMs = clock.now();
  const resuming = host.resume(checkpoint);
  await clock.advance(30_000);
  await resuming;
  const thirdMs = beganAtMs + 2 * RESUME_RETRY_MS;
  t.deepEqual(atMs, [beganAtMs, beganAtMs + RESUME_RETRY_MS, thirdMs, thirdMs + RESUME_TIMEOUT_MS + RESUME_RETRY_MS]);
  t.deepEqual(seeds[0], { kind: 'resumed', checkpoint });
  t.is(of('session.not-resumed').length, 3);
  t.deepEqual(removed, []);
});

test('resuming is given up after DEEPGRAM_GIVE_UP_MS', async (t) => {
  const { clock, host, removed, atMs, of } = hostOf(() => Promise.reject(THROTTLED));
  const beganAtMs = clock.now();
  const resuming = t.throwsAsync(host.resume(checkpointOf('a', 's')), { is: THROTTLED });
  await clock.advance(GIVE_UP_MS);
  t.true(of('session.not-resumed').every(({ level }) => level === 'warn'));
  t.deepEqual(removed, []);
  await clock.advance(RESUME_RETRY_MS);
  await resuming;
  t.true((atMs.at(-1) as number) > beganAtMs + GIVE_UP_MS);
  t.deepEqual(removed, ['s'], 'so no restart tries again');
  t.is(clock.pending, 0);
});

test('resuming is not retried after a permanent refusal', async (t) => {
  const { host, removed, rest, atMs, of } = hostOf(() => Promise.reject(GONE));
  t.is(await t.throwsAsync(host.resume(checkpointOf('a', 's'))), GONE);
  t.is(atMs.length, 1);
  t.deepEqual(removed, ['s']);
  t.deepEqual(rest, ['s'], 'its events are delivered all the same');
  t.like(of('session.not-resumed'), [{ sessionId: 's', contactId: 'a' }]);
});
