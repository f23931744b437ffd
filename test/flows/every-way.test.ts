import test from 'ava';
import { checkFlow } from '../../trigger/flows/check/check-flow.ts';
import { WHOLE_FLOW } from '../../trigger/flows/check/finding.ts';
import { exitsOf, type FlowName, ourFlow } from './our-flows.ts';
import { findings, HANG_UP, START, STOP } from './spoil.ts';

const FLOWS: readonly FlowName[] = ['sample-inbound', 'sample-inbound-synchronous', 'sample-transfer', 'load-test'];

test('our own flows have no findings', (t) => {
  for (const name of FLOWS) t.deepEqual(findings(ourFlow(name)), [], name);
});

test('a file that is not a flow is reported as such', (t) => {
  for (const text of ['', '{', 'null', '[]', '{}', '{"Actions":{}}', '{"Actions":[{}]}', '{"Actions":[null]}']) {
    t.deepEqual(
      checkFlow(text).map(({ action, what }) => [action, what]),
      [[WHOLE_FLOW, 'not-a-flow']],
      text,
    );
  }
});

test('every exit of every action that is removed or redirected is found', (t) => {
  for (const name of FLOWS) {
    exitsOf(ourFlow(name)).forEach(({ from, name: way, to }, index) => {
      for (const target of [undefined, 'Nowhere', from, START, STOP, HANG_UP]) {
        if (target === to || isFine(from, way, target)) continue;
        const flow = ourFlow(name);
        const exit = exitsOf(flow)[index];
        if (target === undefined) exit?.cut();
        else exit?.lead(target);
        t.not(findings(flow).length, 0, `${name}: "${from}" by ${way} to ${target}`);
      }
    });
  }
});

function isFine(from: string, way: string, target: string | undefined): boolean {
  // The editor leaves errors unwired.
  if (target === undefined) return /NoMatchingError|QueueAtCapacity/.test(way);
  // Ending the call after an action's success is fine, and where a transfer fails; ending it on an error is not.
  return target === STOP && (way === 'NextAction' || from === 'Transfer to queue');
}
