import test from 'ava';
import { type Announcements, decide, NOTHING_ANNOUNCED } from '../../daemon/lifecycle/announcements.ts';
import type { MetadataSnapshot } from '../../daemon/lifecycle/watch.ts';

const NOW_EPOCH_MS = Date.parse('2030-01-01T00:00:00Z');
const HOUR_MS = 3_600_000;
const SPOT = { action: 'terminate', atEpochMs: NOW_EPOCH_MS + 120_000 };

function decided(snapshot: Partial<MetadataSnapshot>, before: Announcements = NOTHING_ANNOUNCED) {
  const silent = { targetState: undefined, spotAction: undefined, rebalanceNotice: undefined };
  return decide({ ...silent, ...snapshot }, before, NOW_EPOCH_MS, HOUR_MS);
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
  t.deepEqual(decided({}, all), { announced: all, drain: undefined });
  t.deepEqual(decided({ targetState: 'Terminated', spotAction: SPOT }, all), { announced: all, drain: undefined });
});
