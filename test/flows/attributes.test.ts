import test from 'ava';
import { checkFlow } from '../../trigger/flows/check/check-flow.ts';
import { actionIn, type FlowJson, ourFlow } from './our-flows.ts';
import { SET, START, TRIGGER } from './spoil.ts';

type Attributes = Readonly<Record<string, unknown>>;

const WEBHOOK = 'https://example.com/events';

/** Our flow with these attributes in SET, and the others in blocks of their own after it, named 1, 2 and so on. */
function flowWith(attributes: Attributes, ...others: readonly Attributes[]): FlowJson {
  const flow = ourFlow('sample-inbound');
  const first = actionIn(flow, SET);
  first.Parameters['Attributes'] = attributes;
  let last = first;
  for (const [index, Attributes] of others.entries()) {
    const block = structuredClone(first);
    Object.assign(block, { Identifier: String(index + 1), Parameters: { Attributes, TargetContact: 'Current' } });
    flow.Actions.push(block);
    last.Transitions.NextAction = block.Identifier;
    last = block;
  }
  last.Transitions.NextAction = TRIGGER;
  return flow;
}

function reports(flow: FlowJson) {
  return checkFlow(JSON.stringify(flow)).map(({ severity, action, what, why }) => ({ severity, action, what, why }));
}

/** [title, action at fault, its reason, attributes of SET, of the blocks after it] */
const REFUSED: [title: string, action: string, why: RegExp, first: Attributes, ...others: Attributes[]][] = [
  [
    'a Flux model',
    SET,
    /The daemon .*Nova model\. "dg_model" reaches "Invoke trigger"\.$/,
    { dg_model: 'flux-general-en' },
  ],
  ['a space in a name', SET, /The daemon .*"dg_model " reaches/, { 'dg_model ': 'nova-3' }],
  [
    '501 values',
    SET,
    /The daemon .*"dg_keyterm" reaches/,
    { dg_keyterm: Array.from({ length: 501 }, () => 'w').join(' ') },
  ],
  ['a value of 9000 characters', SET, /The daemon .*"dg_replace" reaches/, { dg_replace: 'x'.repeat(9000) }],
  [
    '201 parameters',
    TRIGGER,
    /at most 200 parameters/,
    Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`dg_a${index}`, 'x'])),
    Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`dg_b${index}`, 'x'])),
  ],
  [
    'two destinations in one block',
    SET,
    /"dg_callback" and "dgintegrator_webhook" are both set/,
    { dg_callback: 'https://example.com/', dgintegrator_webhook: WEBHOOK },
  ],
  [
    'two destinations in two blocks',
    '1',
    /"dg_callback" and "dgintegrator_webhook" are both set.*"Set Deepgram parameters" sets dg_callback/,
    { dg_callback: 'https://example.com/' },
    { dgintegrator_webhook: WEBHOOK },
  ],
  [
    'a destination that comes back',
    '2',
    /"Set Deepgram parameters" sets dgintegrator_webhook; both reach/,
    { dg_callback: 'https://example.com/a', dgintegrator_webhook: WEBHOOK },
    { dg_callback: 'UNSET' },
    { dg_callback: 'https://example.com/b' },
  ],
  [
    'a webhook with credentials',
    SET,
    /The daemon .*credentials or a fragment\. "dgintegrator_webhook" reaches/,
    { dgintegrator_webhook: 'https://user:password@example.com/' },
  ],
  ['a webhook on this host', SET, /names this host/, { dgintegrator_webhook: 'https://localhost/events' }],
  ['a name that takes no value', SET, /"dg_" reaches/, { dg_: 'x' }, { dg_model: 'nova-3' }],
];
for (const [title, action, why, first, ...others] of REFUSED) {
  test(`what the trigger or the daemon would refuse is an error: ${title}`, (t) => {
    const [found, ...more] = reports(flowWith({ dg_tag: 'x', ...first }, ...others));
    t.like(found, { severity: 'error', action, what: 'refused-attribute' });
    t.regex(found?.why ?? '', why);
    t.notRegex(found?.why ?? '', /\n/);
    t.deepEqual(more, []);
  });
}

const ACCEPTED: [title: string, first: Attributes, ...others: Attributes[]][] = [
  ['a locked parameter that a later block unsets', { dg_tag: 'x', dg_channels: '2' }, { dg_channels: 'UNSET' }],
  ['a Flux model that a later block replaces', { dg_model: 'flux-general-en' }, { dg_model: 'nova-3' }],
  [
    'a callback that the webhook’s block unsets',
    { dg_callback: 'https://example.com/' },
    { dg_callback: 'UNSET', dgintegrator_webhook: WEBHOOK },
  ],
  [
    'a callback that a block after the webhook’s unsets',
    { dg_callback: 'https://example.com/' },
    { dgintegrator_webhook: WEBHOOK },
    { dg_callback: 'UNSET' },
  ],
  [
    'references, also within text',
    { dg_model: '$.External.model', dg_callback: 'https://example.com/$.ContactId' },
    { dgintegrator_webhook: "$['External']['webhook']" },
  ],
  [
    'a reference in place of a callback',
    { dg_callback: 'https://example.com/' },
    { dg_callback: '$.External.url' },
    {
      dgintegrator_webhook: WEBHOOK,
    },
  ],
];
for (const [title, ...attributes] of ACCEPTED) {
  test(`what they would accept is no finding: ${title}`, (t) => {
    t.deepEqual(reports(flowWith(...attributes)), []);
  });
}

test('an attribute that another contact gets is not refused', (t) => {
  const flow = flowWith({ dg_model: 'nova-3' }, { dg_channels: '2' });
  actionIn(flow, '1').Parameters['TargetContact'] = 'Related';
  t.like(reports(flow), [{ severity: 'warning', action: '1', what: 'odd-attribute' }]);
});

test('attributes that a flow sets after the trigger are not refused', (t) => {
  const flow = flowWith({ dg_model: 'nova-3' }, { dg_channels: '2' });
  actionIn(flow, SET).Transitions.NextAction = TRIGGER;
  const [trigger, block] = [actionIn(flow, TRIGGER), actionIn(flow, '1')];
  block.Transitions.NextAction = trigger.Transitions.NextAction ?? '';
  trigger.Transitions.NextAction = '1';
  t.deepEqual(
    reports(flow).filter(({ what }) => what === 'refused-attribute'),
    [],
  );
});

test('two destinations on different paths are not refused', (t) => {
  const flow = flowWith({ dg_callback: 'https://example.com/' }, { dg_tag: 'x', dgintegrator_webhook: WEBHOOK });
  actionIn(flow, SET).Transitions.NextAction = TRIGGER;
  flow.Actions.push({
    Identifier: 'Choose',
    Type: 'Compare',
    Parameters: { ComparisonValue: '$.Attributes.team' },
    Transitions: {
      NextAction: '1',
      Conditions: [{ NextAction: SET, Condition: { Operator: 'Equals', Operands: ['a'] } }],
      Errors: [{ NextAction: '1', ErrorType: 'NoMatchingCondition' }],
    },
  });
  actionIn(flow, START).Transitions.NextAction = 'Choose';
  t.deepEqual(reports(flow), []);
});

test('a locked parameter whose value the call decides is a warning', (t) => {
  const [found, ...more] = reports(flowWith({ dg_channels: '$.External.channels' }));
  t.like(found, { severity: 'warning', action: SET, what: 'odd-attribute' });
  t.regex(found?.why ?? '', /^Unless its value is UNSET: The trigger returns fail: .*"dg_channels" cannot be set/);
  t.deepEqual(more, []);
});

test('blocks that a path may skip are checked without trying each of their combinations', (t) => {
  const blocks = Array.from({ length: 200 }, (_, index) => ({ [`dg_p${index} `]: 'x' }));
  const flow = flowWith({ dg_model: 'nova-3' }, ...blocks, { dg_callback: 'https://example.com/' });
  for (const { Type, Transitions } of flow.Actions) {
    if (Type !== 'UpdateContactAttributes' || Transitions.NextAction === TRIGGER) continue;
    Transitions.Errors = [{ NextAction: Transitions.NextAction ?? '', ErrorType: 'NoMatchingError' }];
  }
  const found = reports(flow).filter(({ what }) => what === 'refused-attribute');
  t.is(found.length, 200);
});
