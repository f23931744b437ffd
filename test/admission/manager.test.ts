import test from 'ava';
import { AtCapacity } from '../../daemon/admission/admission.ts';
import { SessionManager } from '../../daemon/admission/manager.ts';
import { CutOff } from '../../daemon/admission/reach.ts';
import type { Checkpoint } from '../../daemon/checkpoints/checkpoint.ts';
import type { DeadSession } from '../../daemon/checkpoints/recovery.ts';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import { DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { StartTimedOut, ThreadLost } from '../../daemon/threads/host.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { checkpointOf, requestOf, TRACE_ID } from '../support/session-builders.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { FakeHost } from './fake-host.ts';

const TIMEOUT_MS = 6000;
const HEALTH_LAG_MS = 20_000;
const HOUR_MS = 3_600_000;

/** Checkpoints on a disk; records which were loaded and removed. */
function disk(saved: Checkpoint[], dead: readonly DeadSession[] = []) {
  const loads: (readonly string[] | 'all')[] = [];
  const removed: string[] = [];
  return {
    saved,
    loads,
    removed,
    load: async (only?: ReadonlySet<string>, onDead?: (session: DeadSession) => void) => {
      loads.push(only ? [...only] : 'all');
      for (const session of dead) onDead?.(session);
      return saved.filter(({ sessionId }) => !only || only.has(sessionId));
    },
    remove: async (sessionId: string) => {
      removed.push(sessionId);
    },
  };
}

function managerOf({
  maxSessions = 10,
  probe = async () => {},
  saved = [] as Checkpoint[],
  dead = [] as DeadSession[],
  hasState = true,
} = {}) {
  const clock = new VirtualClock();
  const host = new FakeHost();
  const { log, of } = recordedLog();
  const checkpoints = disk(saved, dead);
  const failures: unknown[] = [];
  const metrics = { sessionFailed: (error: unknown) => failures.push(error) };
  const manager = new SessionManager(
    { host, clock, log, metrics, checkpoints: hasState ? checkpoints : undefined, probe },
    { maxSessions, healthLagMs: HEALTH_LAG_MS },
  );
  /** Starts a session that runs at once. */
  const start = async (contactId: string, changes = {}) => {
    const starting = manager.start(requestOf(contactId, changes), TIMEOUT_MS, TRACE_ID);
    await clock.settle();
    host.last.open();
    return { ...(await starting), hosted: host.last };
  };
  /** Puts a running session's checkpoint on the disk. */
  const save = (contactId: string, sessionId: string) => checkpoints.saved.push(checkpointOf(contactId, sessionId));
  return { clock, host, manager, checkpoints, failures, of, start, save };
}

const order = (deadlineAtEpochMs?: number) => ({ source: 'operator', reason: 'update', deadlineAtEpochMs }) as const;

test('a start resolves once its session runs', async (t) => {
  const { clock, host, manager } = managerOf();
  let isAnswered = false;
  const starting = manager.start(requestOf('a'), TIMEOUT_MS, TRACE_ID).finally(() => {
    isAnswered = true;
  });
  await clock.settle();
  t.false(isAnswered);
  t.is(manager.size, 1, 'it counts from its admission');
  t.deepEqual(host.timeouts, [TIMEOUT_MS]);
  host.last.open();
  const { sessionId } = host.last.identity;
  t.deepEqual(await starting, { sessionId, contactId: 'a', status: 'started' });
});

test('an identical start returns the running session', async (t) => {
  const { host, manager, start } = managerOf();
  const { sessionId } = await start('a');
  const again = await manager.start(requestOf('a'), TIMEOUT_MS);
  t.deepEqual(again, { sessionId, contactId: 'a', status: 'already-running' });
  t.is(host.sessions.length, 1);
});

const STREAM = requestOf('a').kvsStream;
const FIRST: Partial<StartRequest> = { dgParams: { model: 'nova-3', callback: 'https://a', tag: ['x', 'y'] } };
const TWINS: [difference: string, changes: Partial<StartRequest>][] = [
  ['a later start fragment', { ...FIRST, kvsStream: { ...STREAM, startFragmentNumber: '99' } }],
  ['a time of its start', { ...FIRST, kvsStream: { ...STREAM, startTimestamp: '2026-03-14T15:09:24.500Z' } }],
  ['parameters in another order', { dgParams: { tag: ['x', 'y'], model: ['nova-3'], callback: 'https://a' } }],
];
for (const [difference, changes] of TWINS) {
  test(`a start that differs only by ${difference} returns the running session`, async (t) => {
    const { host, manager, start } = managerOf();
    const { sessionId } = await start('a', FIRST);
    const again = await manager.start(requestOf('a', changes), TIMEOUT_MS);
    t.deepEqual(again, { sessionId, contactId: 'a', status: 'already-running' });
    t.is(host.sessions.length, 1);
  });
}

const OTHERS: [difference: string, changes: Partial<StartRequest>][] = [
  ['another stream', { ...FIRST, kvsStream: { ...STREAM, arn: STREAM.arn.replace('/a/', '/b/') } }],
  ['another model', { dgParams: { ...FIRST.dgParams, model: 'nova-2' } }],
  ['a parameter more', { dgParams: { ...FIRST.dgParams, language: 'es' } }],
  ['a parameter less', { dgParams: { model: 'nova-3', callback: 'https://a' } }],
  ['another tag', { dgParams: { ...FIRST.dgParams, tag: ['x', 'z'] } }],
  ['values divided in another way', { dgParams: { ...FIRST.dgParams, tag: 'x,y' } }],
  ['another destination', { dgParams: { ...FIRST.dgParams, callback: 'https://b' } }],
];
for (const [difference, changes] of OTHERS) {
  test(`a start with ${difference} is a session of its own, and each is found again`, async (t) => {
    const { clock, manager, start } = managerOf();
    const first = await start('a', FIRST);
    const second = await start('a', changes);
    t.is(second.status, 'started');
    t.not(second.sessionId, first.sessionId);
    const again = async (request: Partial<StartRequest>) => manager.start(requestOf('a', request), TIMEOUT_MS);
    t.like(await again(FIRST), { sessionId: first.sessionId, status: 'already-running' });
    t.like(await again(changes), { sessionId: second.sessionId, status: 'already-running' });
    second.hosted.end();
    await clock.settle();
    t.like(await again(FIRST), { sessionId: first.sessionId, status: 'already-running' });
  });
}

test('two identical starts at once are one session; if it fails to start, the second one tries on its own', async (t) => {
  const { clock, host, manager } = managerOf();
  const refused = new KinesisRefused('ResourceNotFoundException', 'no such stream', undefined);
  const starts = [manager.start(requestOf('a'), TIMEOUT_MS), manager.start(requestOf('a'), TIMEOUT_MS)];
  await clock.settle();
  t.is(host.sessions.length, 1);
  host.last.open();
  const [one, other] = await Promise.all(starts);
  t.is(one?.status, 'started');
  t.is(other?.status, 'already-running');
  t.is(one?.sessionId, other?.sessionId);

  const failing = [manager.start(requestOf('b'), TIMEOUT_MS), manager.start(requestOf('b'), TIMEOUT_MS)];
  await clock.settle();
  t.is(host.sessions.length, 2);
  await clock.advance(1000);
  host.last.opening.reject(refused);
  t.is(await t.throwsAsync(failing[0] ?? Promise.resolve()), refused);
  await clock.settle();
  t.is(host.sessions.length, 3);
  t.deepEqual(host.timeouts, [TIMEOUT_MS, TIMEOUT_MS, TIMEOUT_MS - 1000], 'in the time that is left');
  host.last.open();
  t.like(await failing[1], { sessionId: host.last.identity.sessionId, status: 'started' });
});

test('a start waits for an identical one no longer than its own time-out', async (t) => {
  const { clock, host, manager } = managerOf();
  const first = manager.start(requestOf('a'), TIMEOUT_MS);
  const second = t.throwsAsync(manager.start(requestOf('a'), 1000), { instanceOf: StartTimedOut });
  await clock.advance(1000);
  await second;
  host.last.open();
  t.is((await first).status, 'started');
});

test('a session keeps the time when Connect began to stream', async (t) => {
  const { clock, host, start } = managerOf();
  const epochMs = clock.epoch() - 2500;
  const startTimestamp = new Date(epochMs).toISOString();
  await start('a', { kvsStream: { ...STREAM, startTimestamp } });
  t.is(host.last.identity.timeZeroEpochMs, epochMs);
  await start('b');
  t.is(host.last.identity.timeZeroEpochMs, clock.epoch());
});

test('a failed start frees its slot, and the contact can be started again', async (t) => {
  const { clock, host, manager, checkpoints } = managerOf({ maxSessions: 1 });
  const refused = new KinesisRefused('ResourceNotFoundException', 'no such stream', undefined);
  const starting = manager.start(requestOf('a'), TIMEOUT_MS);
  host.last.opening.reject(refused);
  t.is(await t.throwsAsync(starting), refused);
  await clock.settle();
  t.is(manager.size, 0);
  t.deepEqual(checkpoints.removed, [host.last.identity.sessionId]);
  const again = manager.start(requestOf('a'), TIMEOUT_MS);
  host.last.open();
  t.is((await again).status, 'started');
  t.is(host.sessions.length, 2);
});

test('a retry is a new start even while the failed start’s checkpoint is being removed', async (t) => {
  const { host, manager, checkpoints } = managerOf();
  checkpoints.remove = () => new Promise(() => {});
  const starting = manager.start(requestOf('a'), TIMEOUT_MS);
  host.last.opening.reject(new KinesisRefused('ClientLimitExceededException', 'too many', undefined));
  await t.throwsAsync(starting);
  const again = manager.start(requestOf('a'), TIMEOUT_MS);
  t.is(host.sessions.length, 2);
  host.last.open();
  t.is((await again).status, 'started');
});

test('after the end of a call, a start of the same contact is a new session even if the first one is still ending', async (t) => {
  const { clock, host, manager, start } = managerOf();
  const first = await start('a');
  first.hosted.endCall();
  await clock.settle();
  const second = await start('a');
  t.not(second.sessionId, first.sessionId);
  t.is(second.status, 'started');
  first.hosted.end();
  await clock.settle();
  t.is(
    (await manager.start(requestOf('a'), TIMEOUT_MS)).sessionId,
    second.sessionId,
    'the end of the first session does not affect the second',
  );
  t.is(host.sessions.length, 2);
});

test('starts with enforceRealtime always get a session of their own', async (t) => {
  const { host, start } = managerOf();
  const realtime = { enforceRealtime: true };
  const [one, two, three] = [await start('a', realtime), await start('a', realtime), await start('a')];
  t.is(new Set([one.sessionId, two.sessionId, three.sessionId]).size, 3);
  t.is(host.sessions.length, 3);
});

test('a full daemon refuses new contacts, returns running ones, and has room after a session ends', async (t) => {
  const { clock, manager, start } = managerOf({ maxSessions: 1 });
  const { hosted } = await start('a');
  const error = await t.throwsAsync(manager.start(requestOf('b'), TIMEOUT_MS), { instanceOf: AtCapacity });
  t.is(error?.reason, 'full');
  t.is((await manager.start(requestOf('a'), TIMEOUT_MS)).status, 'already-running');
  hosted.end();
  await clock.settle();
  t.is((await start('b')).status, 'started');
});

test('the checkpoint of an ended session is removed before its slot is free', async (t) => {
  const { clock, manager, checkpoints, start } = managerOf();
  const removal = Promise.withResolvers<void>();
  checkpoints.remove = async (sessionId) => {
    checkpoints.removed.push(sessionId);
    await removal.promise;
  };
  const { sessionId, hosted } = await start('a');
  hosted.end();
  await clock.settle();
  t.deepEqual(checkpoints.removed, [sessionId]);
  t.is(manager.size, 1);
  removal.resolve();
  await clock.settle();
  t.is(manager.size, 0);
});

test('stop ends a running session and resolves with its outcome; a starting session cannot be stopped', async (t) => {
  const { clock, host, manager, start } = managerOf();
  const { sessionId, hosted } = await start('a');
  const stopping = manager.stop(sessionId);
  await clock.settle();
  t.deepEqual(hosted.stops, [false], 'its checkpoint is not kept');
  hosted.end({ name: 'completed', reason: 'stopped' });
  t.deepEqual(await stopping, { name: 'completed', reason: 'stopped' });
  t.is(await manager.stop('none'), undefined);
  void manager.start(requestOf('b'), TIMEOUT_MS);
  t.is(await manager.stop(host.last.identity.sessionId), undefined);
});

test('the sessions of a killed daemon are resumed, even beyond MAX_SESSIONS', async (t) => {
  const [a, b] = [checkpointOf('a'), checkpointOf('b')];
  const { clock, host, manager, checkpoints, failures } = managerOf({ maxSessions: 1, saved: [a, b] });
  await manager.resume();
  t.deepEqual(checkpoints.loads, ['all']);
  t.deepEqual(
    host.sessions.map(({ kind, identity }) => [kind, identity]),
    [
      ['resume', a],
      ['resume', b],
    ],
  );
  t.is(manager.size, 2);
  const again = manager.start(requestOf('a'), TIMEOUT_MS);
  host.sessions[0]?.open();
  t.deepEqual(await again, { sessionId: a.sessionId, contactId: 'a', status: 'already-running' });
  host.sessions[1]?.opening.reject(new KinesisRefused('ResourceNotFoundException', 'no such stream', undefined));
  await clock.settle();
  t.is(manager.size, 1, 'a session that cannot resume is removed');
  t.deepEqual(checkpoints.removed, [b.sessionId]);
  t.like(failures, [{ name: 'KinesisRefused' }]);
  const [ended] = manager.history.list();
  t.like(ended, { sessionId: b.sessionId, outcome: 'failed' });
  t.regex(ended?.reason ?? '', /^KinesisRefused: /, 'it did start, before the crash');
});

test('a session of an earlier daemon that cannot resume ends as failed, and is counted', async (t) => {
  const identity = checkpointOf('a');
  const dead: DeadSession[] = [
    { sessionId: identity.sessionId, why: 'stale', identity },
    { sessionId: 'session-of-b', why: 'unreadable', identity: undefined },
  ];
  const { manager, failures, of } = managerOf({ dead });
  await manager.resume();
  t.is(manager.size, 0);
  t.like(failures, [{ name: 'SessionLost' }, { name: 'SessionLost' }]);
  t.like(of('session.lost'), [
    { level: 'error', why: 'stale', sessionId: identity.sessionId, contactId: 'a' },
    { level: 'error', why: 'unreadable', sessionId: 'session-of-b' },
  ]);
  const [ended, ...others] = manager.history.list();
  t.like(ended, { contactId: 'a', outcome: 'failed' });
  t.regex(ended?.reason ?? '', /down for too long/);
  t.deepEqual(others, [], 'of the other one no contact is known');
});

test('a session that loses its thread resumes from its checkpoint under the same id', async (t) => {
  const { clock, host, manager, start, save, failures } = managerOf();
  const { sessionId, hosted } = await start('a');
  save('a', sessionId);
  hosted.end({ name: 'lost' });
  await clock.settle();
  t.like(host.last, { kind: 'resume', identity: { sessionId, position: { fragmentNumber: '7' } } });
  t.is((await manager.start(requestOf('a'), TIMEOUT_MS)).sessionId, sessionId);
  host.last.open();
  await clock.settle();
  host.last.end();
  await clock.settle();
  t.is(manager.size, 0);
  t.deepEqual(failures, []);
});

test('the checkpoints of all sessions of a thread are loaded together', async (t) => {
  const { clock, host, start, save, checkpoints } = managerOf();
  const sessions = [await start('a'), await start('b'), await start('c')];
  for (const { contactId, sessionId } of sessions) save(contactId, sessionId);
  for (const { hosted } of sessions) hosted.end({ name: 'lost' });
  await clock.settle();
  t.deepEqual(checkpoints.loads, [sessions.map(({ sessionId }) => sessionId)]);
  t.is(host.sessions.filter(({ kind }) => kind === 'resume').length, 3);
  host.last.open();
  await clock.settle();
  host.last.end({ name: 'lost' });
  await clock.settle();
  t.is(checkpoints.loads.length, 2, 'later losses are loaded again');
});

for (const [name, losses] of [
  ['while running', ['running', 'running']],
  ['while resuming', ['resuming', 'resuming']],
  ['while resuming and while running', ['resuming', 'running']],
] as const) {
  test(`a session that has lost three threads, the last two ${name}, is not resumed again`, async (t) => {
    const { clock, host, manager, start, save, failures, of } = managerOf();
    const { sessionId, hosted } = await start('a');
    save('a', sessionId);
    hosted.end({ name: 'lost' });
    for (const loss of losses) {
      await clock.settle();
      if (loss === 'resuming') {
        host.last.opening.reject(new ThreadLost());
      } else {
        host.last.open();
        await clock.settle();
        host.last.end({ name: 'lost' });
      }
    }
    await clock.settle();
    t.is(host.sessions.length, 3, 'no fourth thread');
    t.is(manager.size, 0);
    t.like(of('session.lost'), [{ level: 'error', sessionId, contactId: 'a', why: 'too-many-threads' }]);
    t.is(failures.length, 1);
  });
}

for (const [name, hasState] of [
  ['without STATE_DIR', false],
  ['that has no checkpoint yet', true],
] as const) {
  test(`a session ${name} is lost with its thread, and the contact can be started again`, async (t) => {
    const { clock, manager, start, failures, of } = managerOf({ hasState });
    const { sessionId, hosted } = await start('a');
    hosted.end({ name: 'lost' });
    await clock.settle();
    t.is(manager.size, 0);
    t.like(of('session.lost'), [{ sessionId, why: 'no-checkpoint' }]);
    t.like(failures, [{ name: 'SessionLost' }]);
    t.is((await start('a')).status, 'started');
  });
}

test('the deadline of a drain ends running and starting sessions, and keeps their checkpoints', async (t) => {
  const { clock, host, manager, checkpoints, start } = managerOf();
  const { hosted } = await start('a');
  void manager.start(requestOf('b'), TIMEOUT_MS);
  manager.admission.drain.begin(order(clock.epoch() + HOUR_MS));
  await clock.advance(HOUR_MS - 1);
  t.deepEqual(hosted.stops, []);
  await clock.advance(1);
  t.deepEqual(hosted.stops, [true]);
  host.last.open();
  await clock.settle();
  t.deepEqual(host.last.stops, [true]);
  for (const session of host.sessions) session.end({ name: 'completed', reason: 'stopped' });
  await manager.admission.drain.drained;
  t.deepEqual(checkpoints.removed, []);
});

test('a session ended by a drain is not resumed when it loses its thread', async (t) => {
  const { clock, host, manager, checkpoints, start, save, of } = managerOf();
  const { sessionId, hosted } = await start('a');
  save('a', sessionId);
  manager.admission.drain.begin(order());
  manager.admission.drain.endRemaining();
  hosted.end({ name: 'lost' });
  await manager.admission.drain.drained;
  t.is(host.sessions.length, 1);
  t.deepEqual(checkpoints.removed, []);
  t.deepEqual(of('session.lost'), []);
  await clock.settle();
});

test('a drain accepts starts during the health lag, then refuses them, and ends with the last call', async (t) => {
  const { clock, manager, start } = managerOf();
  const first = await start('a');
  manager.admission.drain.begin(order());
  await clock.advance(HEALTH_LAG_MS - 1);
  const late = await start('b');
  await clock.advance(1);
  const error = await t.throwsAsync(manager.start(requestOf('c'), TIMEOUT_MS), { instanceOf: AtCapacity });
  t.is(error?.reason, 'draining');
  t.is((await manager.start(requestOf('a'), TIMEOUT_MS)).status, 'already-running');
  await clock.advance(HOUR_MS);
  t.like(manager.admission.drain.view(), { state: 'draining', sessionsLeft: 2 });
  first.hosted.end();
  await clock.settle();
  t.is(manager.admission.drain.view()?.state, 'draining');
  late.hosted.end();
  await manager.admission.drain.drained;
  t.is(manager.admission.drain.view()?.state, 'drained');
});

test('the longest call is the age of the oldest running session', async (t) => {
  const { clock, host, manager, start } = managerOf();
  manager.admission.requestArrived();
  manager.admission.drain.begin(order());
  const longestCallMs = () => manager.admission.drain.view()?.longestCallMs;
  t.is(longestCallMs(), 0);
  void manager.start(requestOf('starting'), TIMEOUT_MS);
  await clock.advance(1000);
  t.is(longestCallMs(), 0);
  host.last.open();
  const { hosted } = { hosted: host.last };
  await clock.advance(2000);
  await start('a');
  await clock.advance(500);
  t.is(longestCallMs(), 3500, 'since its admission');
  hosted.end();
  await clock.settle();
  t.is(longestCallMs(), 500);
});

test('an idle manager that was sent nothing for five minutes drains at once', async (t) => {
  const { clock, manager, start } = managerOf();
  const { hosted } = await start('a');
  hosted.end();
  await clock.settle();
  t.true(manager.admission.mayBeSent, 'a start just came');
  await clock.advance(300_000);
  t.false(manager.admission.mayBeSent);
  manager.admission.requestArrived();
  t.true(manager.admission.mayBeSent, 'a health check came');
  await clock.advance(300_000);
  manager.admission.drain.begin(order());
  await clock.advance(0);
  t.is(manager.admission.drain.view()?.state, 'drained');
});

test('an instance without a route refuses pending and new starts; running sessions and their identical starts go on', async (t) => {
  const network = { isCut: false };
  const probe = async () => {
    if (network.isCut) throw new DeepgramUnreachable('api.deepgram.com', new Error('no route'));
  };
  const { clock, host, manager, start } = managerOf({ probe });
  const { sessionId } = await start('running');
  network.isCut = true;
  const pending = t.throwsAsync(manager.start(requestOf('pending'), TIMEOUT_MS), { instanceOf: CutOff });
  const twin = t.throwsAsync(manager.start(requestOf('pending'), TIMEOUT_MS), { instanceOf: CutOff });
  await clock.advance(1000);
  await Promise.all([pending, twin]);
  t.is(manager.admission.healthStatus(manager.size), 'cut-off');
  await t.throwsAsync(manager.start(requestOf('new'), TIMEOUT_MS), { instanceOf: CutOff });
  t.is(host.sessions.length, 2, 'nothing else was tried');
  t.like(await manager.start(requestOf('running'), TIMEOUT_MS), { sessionId, status: 'already-running' });

  const abandoned = host.last;
  abandoned.open();
  await clock.settle();
  t.deepEqual(abandoned.stops, [false], 'it started after its caller was told that it did not');
  network.isCut = false;
  await clock.advance(2000);
  await start('pending');
  t.not(host.last, abandoned, 'a session of its own');
});
