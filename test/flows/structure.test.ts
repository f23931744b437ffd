import { WHOLE_FLOW } from '../../trigger/flows/check/finding.ts';
import { actionIn, type FlowJson } from './our-flows.ts';
import { CALL, COMPARE, cut, findsWhen, HANG_UP, lead, type Mutation, SET, START } from './spoil.ts';

const rename = (from: string, to: string) => (flow: FlowJson) => {
  actionIn(flow, from).Identifier = to;
};
const put = (action: FlowJson['Actions'][number]) => (flow: FlowJson) => flow.Actions.push(action);

const TRANSITIONS: Mutation[] = [
  ['the version is wrong', (flow) => (flow.Version = '2017-11-21'), WHOLE_FLOW, 'wrong-version', /2019-10-30/],
  ['it starts nowhere', (flow) => (flow.StartAction = 'Begin'), WHOLE_FLOW, 'unresolved', /"Begin"/],
  ['a transition leads nowhere', lead('Say hello', 'NextAction', 'Sing'), 'Say hello', 'unresolved', /"Sing"/],
  ['an error leads nowhere', lead(SET, 'NoMatchingError', 'Sing'), SET, 'unresolved', /NoMatchingError .*"Sing"/],
  ['a condition leads nowhere', lead(COMPARE, 'fail', 'Sing'), COMPARE, 'unresolved', /condition fail .*"Sing"/],
  ['an action is missing', (flow) => flow.Actions.splice(3, 1), START, 'unresolved', /Set Deepgram parameters/],
  ['an action goes nowhere', cut('Say hello', 'NextAction'), 'Say hello', 'dead-end', /contact ends/],
  ['a check has no default', cut(COMPARE, 'NoMatchingCondition'), COMPARE, 'branch-missing', /contact would end/],
  ['a loop never ends', cut(CALL, 'DoneLooping'), CALL, 'branch-missing', /DoneLooping/],
  [
    'nothing leads to an action',
    put({ Identifier: 'Lonely', Type: 'DisconnectParticipant', Parameters: {}, Transitions: {} }),
    'Lonely',
    'unreachable',
    /No path/,
  ],
  [
    'two actions have one identifier',
    put({ Identifier: HANG_UP, Type: 'DisconnectParticipant', Parameters: {}, Transitions: {} }),
    HANG_UP,
    'bad-identifier',
    /same Identifier/,
  ],
  ['an identifier has a colon', rename(HANG_UP, 'Hang: up'), 'Hang: up', 'bad-identifier', /%/],
  [
    'an identifier is reserved by JavaScript',
    rename(HANG_UP, 'valueOf'),
    'valueOf',
    'bad-identifier',
    /does not accept/,
  ],
  ['an identifier is too long', rename(HANG_UP, 'x'.repeat(51)), 'x'.repeat(51), 'bad-identifier', /50 characters/],
  ['a check has another default', lead(COMPARE, 'NextAction', CALL), COMPARE, 'default-differs', /NoMatchingCondition/],
];

const LIMITS: Mutation[] = [
  [
    'there are too many actions',
    (flow) => {
      const { length } = flow.Actions;
      const silence = actionIn(flow, 'Say hello');
      for (let count = length; count <= 250; count += 1) flow.Actions.push({ ...silence, Identifier: `Say ${count}` });
    },
    WHOLE_FLOW,
    'too-many-actions',
    /250/,
  ],
];

findsWhen(TRANSITIONS);
findsWhen(LIMITS);
