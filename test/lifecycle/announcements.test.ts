import test from 'ava';
import { type Announcements, decide, NOTHING_ANNOUNCED } from '../../daemon/lifecycle/announcements.ts';
import type { MetadataSnapshot } from '../../daemon/lifecycle/watch.ts';

const NOW_EPOCH_MS = Date.parse('2030-01-01T00:00:00Z');
const HOUR_MS = 3_600_000;
const SPOT = { action: 'terminate', atEpochMs: NOW_EPOCH_MS + 120_000 };

function decided(
  snapshot: Partial<MetadataSnapshot>,
  before: Announcements = NOTHING_ANNOUNCED,
  nowEpochMs = NOW_EPOCH_MS,
) {
  const silent = { targetState: undefined, spotAction: undefined, rebalanceNotice: undefined, maintenance: undefined };
  const times = { terminationMs: HOUR_MS, maintenanceLeadMs: 2 * HOUR_MS };
  const { announced, drains, withdrawsMaintenance } = decide({ ...silent, ...snapshot }, before, nowEpochMs, times);
  return { announced, drain: drains[0], drains, withdrawsMaintenance };
}

test('an instance in service does not drain', (t) => {
  const { announced, drain } = decided({ targetState: 'InService' });
  t.is(drain, undefined);
  t.deepEqual(announced, { ...NOTHING_ANNOUNCED, targetState: 'InService' });
});

test('a termination drains until the deadline of the settings', (t) => {
  const { announced, drain } = decided({ targetState: 'Terminated' });
  t.true(announced.isTerminating);
  t.deepEqual(drain, {
    source: 'lifecycle',
    reason: 'Auto Scaling terminates this instance',
    deadlineAtEpochMs: NOW_EPOCH_MS + HOUR_MS,
  });
});

test('a Spot notice drains until 20 s before the announced time', (t) => {
  const { announced, drain } = decided({ spotAction: SPOT });
  t.true(announced.isReclaimed);
  t.deepEqual(drain, {
    source: 'spot',
    reason: 'Spot: terminate at 2030-01-01T00:02:00.000Z',
    deadlineAtEpochMs: NOW_EPOCH_MS + 100_000,
  });
});

test('a Spot notice shortens the deadline of a termination, and a termination does not change that of a Spot notice', (t) => {
  const terminating = decided({ targetState: 'Terminated' }).announced;
  t.is(decided({ targetState: 'Terminated', spotAction: SPOT }, terminating).drain?.source, 'spot');
  const reclaimed = decided({ spotAction: SPOT }).announced;
  const { announced, drain } = decided({ targetState: 'Terminated', spotAction: SPOT }, reclaimed);
  t.is(drain, undefined);
  t.true(announced.isTerminating);
});

test('of a termination and a Spot notice in one snapshot, the Spot deadline wins', (t) => {
  const { announced, drain } = decided({ targetState: 'Terminated', spotAction: SPOT });
  t.is(drain?.source, 'spot');
  t.like(announced, { isTerminating: true, isReclaimed: true });
});

test('a rebalance recommendation drains nothing', (t) => {
  const { announced, drain } = decided({ rebalanceNotice: '2030-01-01T00:00:00Z' });
  t.is(drain, undefined);
  t.true(announced.isRebalanceRecommended);
});

test('an announcement stands when a later snapshot says nothing, and is acted on once', (t) => {
  const all = decided({ targetState: 'Terminated', spotAction: SPOT, rebalanceNotice: 'now' }).announced;
  t.deepEqual(decided({}, all), { announced: all, drain: undefined, drains: [], withdrawsMaintenance: false });
  t.deepEqual(decided({ targetState: 'Terminated', spotAction: SPOT }, all), {
    announced: all,
    drain: undefined,
    drains: [],
    withdrawsMaintenance: false,
  });
});

const EVENT = { eventId: 'instance-event-1', code: 'system-reboot', notBeforeEpochMs: NOW_EPOCH_MS + 5 * HOUR_MS };
const DUE_EPOCH_MS = NOW_EPOCH_MS + 3 * HOUR_MS;

test('scheduled maintenance starts a drain when it is due, not when it is announced', (t) => {
  const early = decided({ maintenance: [EVENT] });
  t.deepEqual(early.drains, []);
  t.deepEqual(early.announced.maintenance, EVENT);
  t.deepEqual(decided({ maintenance: [EVENT] }, early.announced, DUE_EPOCH_MS - 1).drains, []);
  const due = decided({ maintenance: [EVENT] }, early.announced, DUE_EPOCH_MS);
  t.deepEqual(due.drains, [
    {
      source: 'maintenance',
      reason: 'EC2 maintenance: system-reboot at 2030-01-01T05:00:00.000Z',
      deadlineAtEpochMs: EVENT.notBeforeEpochMs - 20_000,
    },
  ]);
  t.deepEqual(decided({ maintenance: [EVENT] }, due.announced, DUE_EPOCH_MS + 1).drains, [], 'once');
});

test('maintenance that is due while the metadata cannot be read starts its drain all the same', (t) => {
  const { announced } = decided({ maintenance: [EVENT] });
  t.is(decided({}, announced, DUE_EPOCH_MS).drain?.source, 'maintenance');
});

test('maintenance that is called off withdraws its drain', (t) => {
  const { announced } = decided({ maintenance: [EVENT] }, NOTHING_ANNOUNCED, DUE_EPOCH_MS);
  const off = decided({ maintenance: [] }, announced, DUE_EPOCH_MS + 1);
  t.true(off.withdrawsMaintenance);
  t.is(off.announced.maintenance, undefined);
  t.false(decided({ maintenance: [] }, off.announced, DUE_EPOCH_MS + 2).withdrawsMaintenance);
});

test('maintenance that moves to a later day withdraws its drain; one that moves by minutes changes the deadline', (t) => {
  const { announced } = decided({ maintenance: [EVENT] }, NOTHING_ANNOUNCED, DUE_EPOCH_MS);
  const tomorrow = { ...EVENT, notBeforeEpochMs: EVENT.notBeforeEpochMs + 24 * HOUR_MS };
  t.like(decided({ maintenance: [tomorrow] }, announced, DUE_EPOCH_MS), { withdrawsMaintenance: true, drains: [] });
  const sooner = { ...EVENT, notBeforeEpochMs: EVENT.notBeforeEpochMs - 600_000 };
  t.like(decided({ maintenance: [sooner] }, announced, DUE_EPOCH_MS), {
    withdrawsMaintenance: false,
    drains: [{ deadlineAtEpochMs: sooner.notBeforeEpochMs - 20_000 }],
  });
});

test('maintenance that began before the daemon did starts no drain: it may be what restarted the machine', (t) => {
  const afterwards = EVENT.notBeforeEpochMs + 60_000;
  t.deepEqual(decided({ maintenance: [EVENT] }, NOTHING_ANNOUNCED, afterwards).drains, []);
  const { announced } = decided({ maintenance: [EVENT] }, NOTHING_ANNOUNCED, DUE_EPOCH_MS);
  t.false(decided({ maintenance: [EVENT] }, announced, afterwards).withdrawsMaintenance, 'a drain for it continues');
});

test('the earliest of several events counts', (t) => {
  const first = { ...EVENT, eventId: 'instance-event-2', notBeforeEpochMs: NOW_EPOCH_MS + HOUR_MS };
  t.is(decided({ maintenance: [EVENT, first] }).drain?.deadlineAtEpochMs, first.notBeforeEpochMs - 20_000);
});

test('an instance that terminates in the warm pool, or returns to it, drains; one that waits there does not', (t) => {
  t.is(decided({ targetState: 'Warmed:Terminated' }).drain?.source, 'lifecycle');
  const waiting = decided({ targetState: 'Warmed:Running' });
  t.deepEqual(waiting.drains, []);
  const { announced } = decided({ targetState: 'InService' }, waiting.announced);
  t.is(decided({ targetState: 'Warmed:Stopped' }, announced).drain?.source, 'lifecycle');
});
