import { WHOLE_FLOW } from '../../trigger/flows/check/finding.ts';
import { actionIn } from './our-flows.ts';
import { CALL, COMPARE, cut, findsWhen, lead, type Mutation, set, TRIGGER } from './spoil.ts';

const RESULTS: Mutation[] = [
  [
    'nothing invokes the trigger',
    (flow) => (actionIn(flow, TRIGGER).Type = 'X'),
    WHOLE_FLOW,
    'no-trigger',
    /transcribed/,
  ],
  [
    'the result is not compared',
    lead(TRIGGER, 'NextAction', 'Say transcription has started'),
    TRIGGER,
    'result-unread',
    /lambdaResult/,
  ],
  ['something else is compared', set(COMPARE, { ComparisonValue: '$.External.reason' }), TRIGGER, 'result-unread', /./],
  [
    'success is misspelled',
    (flow) =>
      Object.assign(actionIn(flow, COMPARE).Transitions.Conditions?.[0]?.Condition ?? {}, { Operands: ['Success'] }),
    COMPARE,
    'result-unread',
    /never returns Success/,
  ],
  [
    'success is only part of the text',
    (flow) =>
      Object.assign(actionIn(flow, COMPARE).Transitions.Conditions?.[0]?.Condition ?? {}, { Operator: 'TextContains' }),
    COMPARE,
    'result-unread',
    /no condition Equals success/,
  ],
  ['success is not compared', cut(COMPARE, 'success'), COMPARE, 'result-unread', /Equals success/],
  ['fail is not compared', cut(COMPARE, 'fail'), COMPARE, 'result-unread', /Equals fail/],
  ['an error is not wired', cut(TRIGGER, 'NoMatchingError'), TRIGGER, 'branch-missing', /NoMatchingError/],
  [
    'no response counts as a result',
    lead(TRIGGER, 'NoMatchingError', COMPARE),
    COMPARE,
    'stale-result',
    /Invoke trigger >/,
  ],
  [
    'the result is that of an earlier session',
    lead('Invoke trigger again', 'NoMatchingError', 'Check result'),
    'Check result',
    'stale-result',
    /earlier invocation/,
    'load-test',
  ],
  ...(['fail', 'NoMatchingCondition'] as const).map((name): Mutation => {
    const mutate = lead(COMPARE, name, 'Say transcription has started');
    return [`${name} counts as success`, mutate, COMPARE, 'failure-as-success', /as after a success/];
  }),
  [
    'no response counts as success',
    lead(TRIGGER, 'NoMatchingError', 'Say transcription has started'),
    TRIGGER,
    'failure-as-success',
    /On no response/,
  ],
  ['a fail is not announced', lead(COMPARE, 'fail', CALL), COMPARE, 'failure-unreported', /On fail/],
  [
    'no response is not announced',
    lead(TRIGGER, 'NoMatchingError', CALL),
    TRIGGER,
    'failure-unreported',
    /On no response/,
  ],
  [
    'fail and no response sound the same',
    lead(TRIGGER, 'NoMatchingError', 'Say transcription failed'),
    TRIGGER,
    'failure-unreported',
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
    'the result is not validated',
    set(TRIGGER, { ResponseValidation: undefined }),
    TRIGGER,
    'bad-parameter',
    /STRING_MAP/,
  ],
  ['no function is invoked', set(TRIGGER, { LambdaFunctionARN: undefined }), TRIGGER, 'bad-parameter', /Lambda/],
];

findsWhen(RESULTS);
