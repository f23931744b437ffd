import test from 'ava';
import { absenceDecision } from '../../daemon/lifecycle/absence.ts';
import type { Neighbor } from '../../daemon/lifecycle/auto-scaling.ts';

const instance = (instanceId: string, lifecycleState = 'InService', isHealthy = true): Neighbor => ({
  instanceId,
  groupName: 'fleet',
  lifecycleState,
  isHealthy,
});
const OWN = instance('i-own');

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
    const decision = absenceDecision('i-own', group);
    t.is(decision.name, expected);
    if (decision.name !== 'report') t.not(decision.why, '');
  });
}

test('of a fleet whose daemons all fail, one instance is replaced at a time, and the replacement must start', (t) => {
  const dead = (healthy: boolean) => [instance('i-1', 'InService', healthy), instance('i-2'), instance('i-3')];
  t.is(absenceDecision('i-1', dead(true)).name, 'report');
  t.is(absenceDecision('i-2', dead(false)).name, 'wait');
  const replacing = [instance('i-4', 'Pending:Wait'), instance('i-2'), instance('i-3')];
  t.is(absenceDecision('i-2', replacing).name, 'wait');
  t.is(absenceDecision('i-2', [instance('i-4'), instance('i-2'), instance('i-3')]).name, 'report');
});
