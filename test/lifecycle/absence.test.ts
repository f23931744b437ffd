import test from 'ava';
import { absenceDecision } from '../../daemon/lifecycle/absence.ts';
import type { Neighbor } from '../../daemon/lifecycle/auto-scaling.ts';
import { FleetModel } from './fleet-model.ts';

const instance = (instanceId: string, lifecycleState = 'InService', isHealthy = true): Neighbor => ({
  instanceId,
  groupName: 'fleet',
  lifecycleState,
  isHealthy,
});
const OWN = instance('i-own');

/** A group that has as many instances as it should, unless `desiredCapacity` says otherwise. */
function groupOf(instances: readonly Neighbor[], desiredCapacity?: number) {
  const wanted = instances.filter(({ lifecycleState }) => /^(InService|Pending)/.test(lifecycleState));
  return { instances, desiredCapacity: desiredCapacity ?? wanted.length };
}

for (const [what, group, expected] of [
  ['an instance in service', [OWN, instance('i-2')], 'report'],
  ['the only instance', [OWN], 'report'],
  ['beside one that drains', [OWN, instance('i-2', 'Terminating:Wait')], 'report'],
  ['beside one in Standby', [OWN, instance('i-2', 'Standby')], 'report'],
  ['beside one that is being replaced', [OWN, instance('i-2', 'InService', false)], 'wait'],
  ['beside one that is terminated as unhealthy', [OWN, instance('i-2', 'Terminating:Wait', false)], 'wait'],
  ['beside one that launches', [OWN, instance('i-2', 'Pending:Wait')], 'wait'],
  ['an instance in Standby', [instance('i-own', 'Standby'), instance('i-2')], 'leave'],
  ['an instance that launches', [instance('i-own', 'Pending:Wait')], 'leave'],
  ['an instance that terminates', [instance('i-own', 'Terminating:Wait')], 'leave'],
  ['an instance that was reported', [instance('i-own', 'InService', false)], 'leave'],
  ['an instance of no group', [], 'leave'],
] as const) {
  test(`${what}, without a daemon: ${expected}`, (t) => {
    const decision = absenceDecision('i-own', groupOf(group));
    t.is(decision.name, expected);
    if (decision.name !== 'report') t.not(decision.why, '');
  });
}

test('while the group has fewer instances than it should, it waits: a replacement is missing', (t) => {
  const short = groupOf([OWN, instance('i-2')], 3);
  t.deepEqual(absenceDecision('i-own', short), { name: 'wait', why: '2 of 3 are in service' });
  t.is(absenceDecision('i-own', groupOf([OWN, instance('i-2')], 2)).name, 'report');
  t.is(absenceDecision('i-own', groupOf([OWN, instance('i-2', 'Terminating:Wait')], 1)).name, 'report', 'scale-in');
  t.is(absenceDecision('i-own', groupOf([OWN], 0)).name, 'report', 'a group that empties itself');
});

test('the reason of a wait names the other instance and its state', (t) => {
  const waits = (other: Neighbor) => absenceDecision('i-own', groupOf([OWN, other]));
  t.deepEqual(waits(instance('i-2', 'Pending:Wait')), { name: 'wait', why: 'i-2 is Pending:Wait' });
  t.deepEqual(waits(instance('i-2', 'InService', false)), { name: 'wait', why: 'i-2 is InService and unhealthy' });
});

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);
const SIZES = [1, 2, 3, 10];
const HOURS = 6;

for (const size of SIZES) {
  test(`a setting that no daemon starts with costs one of ${size} instances, for as long as it is there`, (t) => {
    for (const seed of SEEDS) {
      const fleet = new FleetModel(size, seed);
      fleet.stopDaemons();
      fleet.run(HOURS);
      t.is(fleet.reports, 1, `seed ${seed}`);
      t.is(fleet.firstInstances, size - 1, `seed ${seed}`);
      t.true(fleet.launches > 10, 'Auto Scaling tries again and again');
    }
  });

  test(`once the setting is right again, each of ${size} instances without a daemon is replaced, one by one`, (t) => {
    for (const seed of SEEDS) {
      const fleet = new FleetModel(size, seed);
      fleet.stopDaemons();
      fleet.run(1);
      fleet.newDaemonsStart = true;
      fleet.run(HOURS);
      t.is(fleet.firstInstances, 0, `seed ${seed}`);
      t.is(fleet.reports, size, `seed ${seed}`);
      t.true(fleet.mostMissing <= 1, `seed ${seed}: ${fleet.mostMissing} at once`);
    }
  });
}

test('a daemon that is back within five minutes costs nothing', (t) => {
  for (const seed of SEEDS) {
    const fleet = new FleetModel(3, seed);
    fleet.stopDaemons();
    fleet.run(4 / 60);
    fleet.startDaemons();
    fleet.run(HOURS);
    t.is(fleet.reports, 0, `seed ${seed}`);
  }
});
