import test from 'ava';
import { checkFlow } from '../../trigger/flows/check/check-flow.ts';
import { WHOLE_FLOW } from '../../trigger/flows/check/finding.ts';
import { exitsOf, type FlowName, ourFlow } from './our-flows.ts';
import { findings, HANG_UP, START, STOP } from './spoil.ts';

const FLOWS: readonly FlowName[] = ['sample-inbound', 'load-test'];

test('our own flows have no findings', (t) => {
  for (const name of FLOWS) t.deepEqual(findings(ourFlow(name)), [], name);
});

test('what is no flow at all is said to be none', (t) => {
  for (const text of ['', '{', 'null', '[]', '{}', '{"Actions":{}}', '{"Actions":[{}]}', '{"Actions":[null]}']) {
    t.deepEqual(
      checkFlow(text).map(({ action, what }) => [action, what]),
      [[WHOLE_FLOW, 'not-a-flow']],
      text,
    );
  }
});

test('any way out of any action that is cut, or led astray, is found', (t) => {
  for (const name of FLOWS) {
    exitsOf(ourFlow(name)).forEach(({ from, name: way, to }, index) => {
      for (const astray of [undefined, 'Nowhere', from, START, STOP, HANG_UP]) {
        // A call that ends after whatever is its last action is no fault: an error that ends it is.
        if (astray === to || (astray === STOP && way === 'NextAction')) continue;
        const flow = ourFlow(name);
        const exit = exitsOf(flow)[index];
        if (astray === undefined) exit?.cut();
        else exit?.lead(astray);
        t.not(findings(flow).length, 0, `${name}: "${from}" by ${way} to ${astray}`);
      }
    });
  }
});
