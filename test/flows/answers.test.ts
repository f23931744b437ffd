import { WHOLE_FLOW } from '../../trigger/flows/check/finding.ts';
import { actionIn } from './our-flows.ts';
import { CALL, COMPARE, cut, findsWhen, lead, type Mutation, set, TRIGGER } from './spoil.ts';

const ANSWERS: Mutation[] = [
  [
    'nothing invokes the trigger',
    (flow) => (actionIn(flow, TRIGGER).Type = 'X'),
    WHOLE_FLOW,
    'no-trigger',
    /transcribed/,
  ],
  [
    'the answer is not looked at',
    lead(TRIGGER, 'NextAction', 'Say transcription has started'),
    TRIGGER,
    'answer-unread',
    /lambdaResult/,
  ],
  [
    'something else is looked at',
    set(COMPARE, { ComparisonValue: '$.External.reason' }),
    TRIGGER,
    'answer-unread',
    /./,
  ],
  [
    'success is misspelt',
    (flow) =>
      Object.assign(actionIn(flow, COMPARE).Transitions.Conditions?.[0]?.Condition ?? {}, { Operands: ['Success'] }),
    COMPARE,
    'answer-unread',
    /never answers Success/,
  ],
  [
    'success may be in any word',
    (flow) =>
      Object.assign(actionIn(flow, COMPARE).Transitions.Conditions?.[0]?.Condition ?? {}, { Operator: 'TextContains' }),
    COMPARE,
    'answer-unread',
    /no condition Equals success/,
  ],
  ['success is not looked for', cut(COMPARE, 'success'), COMPARE, 'answer-unread', /Equals success/],
  ['fail is not looked for', cut(COMPARE, 'fail'), COMPARE, 'answer-unread', /Equals fail/],
  ['an error is not wired', cut(TRIGGER, 'NoMatchingError'), TRIGGER, 'branch-missing', /NoMatchingError/],
  ['no answer is an answer', lead(TRIGGER, 'NoMatchingError', COMPARE), COMPARE, 'stale-answer', /Invoke trigger >/],
  [
    'the answer is that of an earlier session',
    lead('Invoke trigger again', 'NoMatchingError', 'Check answer'),
    'Check answer',
    'stale-answer',
    /earlier invocation/,
    'load-test',
  ],
  ...(['fail', 'NoMatchingCondition'] as const).map((name): Mutation => {
    const mutate = lead(COMPARE, name, 'Say transcription has started');
    return [`${name} counts as success`, mutate, COMPARE, 'failure-as-success', /as after a success/];
  }),
  [
    'no answer counts as success',
    lead(TRIGGER, 'NoMatchingError', 'Say transcription has started'),
    TRIGGER,
    'failure-as-success',
    /On no answer/,
  ],
  ['a fail is not spoken of', lead(COMPARE, 'fail', CALL), COMPARE, 'failure-unsaid', /On fail/],
  ['silence is not spoken of', lead(TRIGGER, 'NoMatchingError', CALL), TRIGGER, 'failure-unsaid', /On no answer/],
  [
    'fail and no answer sound the same',
    lead(TRIGGER, 'NoMatchingError', 'Say transcription failed'),
    TRIGGER,
    'failure-unsaid',
    /which it was/,
  ],
  [
    'the flow does not wait long enough',
    set(TRIGGER, { InvocationTimeLimitSeconds: '3' }),
    TRIGGER,
    'bad-parameter',
    /7 s/,
  ],
  ['the flow does not wait at all', set(TRIGGER, { InvocationType: 'ASYNCHRONOUS' }), TRIGGER, 'bad-parameter', /./],
  [
    'the answer may be anything',
    set(TRIGGER, { ResponseValidation: undefined }),
    TRIGGER,
    'bad-parameter',
    /STRING_MAP/,
  ],
  ['no function is asked for', set(TRIGGER, { LambdaFunctionARN: undefined }), TRIGGER, 'bad-parameter', /Lambda/],
];

findsWhen(ANSWERS);
