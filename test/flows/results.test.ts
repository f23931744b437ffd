import { WHOLE_FLOW } from '../../trigger/flows/check/finding.ts';
import { actionIn } from './our-flows.ts';
import { BEGIN, CALL, COMPARE, cut, findsWhen, LOAD, lead, type Mutation, set, TRIGGER } from './spoil.ts';

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
    lead(LOAD, 'NextAction', 'Say transcription has started'),
    LOAD,
    'result-unread',
    /lambdaResult/,
  ],
  [
    'the result of a synchronous invocation is not compared',
    lead('Invoke trigger again', 'NextAction', 'Start further sessions'),
    'Invoke trigger again',
    'result-unread',
    /lambdaResult/,
    'load-test',
  ],
  [
    'the result of an asynchronous invocation is not loaded',
    (flow) => [lead(BEGIN, 'NextAction', CALL)(flow), lead(BEGIN, 'NoMatchingError', CALL)(flow)],
    TRIGGER,
    'result-unread',
    /Load Lambda result/,
  ],
  ['the result is compared without being loaded', lead(BEGIN, 'NextAction', COMPARE), COMPARE, 'stale-result', /Begin/],
  ['the result is loaded at once', lead(TRIGGER, 'NextAction', LOAD), LOAD, 'result-too-early', /7 s/],
  [
    'the result is loaded too early',
    set(BEGIN, { SSML: '<speak><break time="6000ms"/></speak>' }),
    LOAD,
    'result-too-early',
    /7 s/,
  ],
  [
    'the result of an invocation that failed is loaded',
    lead(TRIGGER, 'NoMatchingError', BEGIN),
    LOAD,
    'stale-result',
    /no asynchronous invocation/,
  ],
  [
    'the result of a synchronous invocation is loaded',
    set(TRIGGER, { InvocationType: 'SYNCHRONOUS' }),
    LOAD,
    'stale-result',
    /no asynchronous invocation/,
  ],
  [
    'another invocation is loaded',
    set(LOAD, { LambdaInvocationId: '$.External.sessionId' }),
    LOAD,
    'bad-parameter',
    /LambdaInvocation/,
  ],
  ['something else is compared', set(COMPARE, { ComparisonValue: '$.External.reason' }), LOAD, 'result-unread', /./],
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
  [
    'no response counts as a result',
    lead(LOAD, 'NoMatchingError', COMPARE),
    COMPARE,
    'stale-result',
    /Load the result >/,
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
    lead(LOAD, 'NoMatchingError', 'Say transcription has started'),
    LOAD,
    'failure-as-success',
    /On no response/,
  ],
  [
    'no invocation counts as success',
    lead(TRIGGER, 'NoMatchingError', 'Say transcription has started'),
    TRIGGER,
    'failure-as-success',
    /On no invocation/,
  ],
  ['a fail is not announced', lead(COMPARE, 'fail', CALL), COMPARE, 'failure-unreported', /On fail/],
  ['no response is not announced', lead(LOAD, 'NoMatchingError', CALL), LOAD, 'failure-unreported', /On no response/],
  [
    'fail and no response sound the same',
    lead(LOAD, 'NoMatchingError', 'Say transcription failed'),
    LOAD,
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
  [
    'the flow waits longer than Connect allows',
    set('Invoke trigger again', { InvocationTimeLimitSeconds: '9' }),
    'Invoke trigger again',
    'bad-parameter',
    /"8"/,
    'load-test',
  ],
  [
    'an asynchronous invocation takes too long',
    set(TRIGGER, { InvocationTimeLimitSeconds: '61' }),
    TRIGGER,
    'bad-parameter',
    /"60"/,
  ],
  ['the invocation type is misspelled', set(TRIGGER, { InvocationType: 'ASYNC' }), TRIGGER, 'bad-parameter', /SYNC/],
  [
    'the result is read as JSON',
    set(TRIGGER, { ResponseValidation: { ResponseType: 'JSON' } }),
    TRIGGER,
    'bad-parameter',
    /STRING_MAP/,
  ],
  ['no function is invoked', set(TRIGGER, { LambdaFunctionARN: undefined }), TRIGGER, 'bad-parameter', /Lambda/],
];

findsWhen(RESULTS);
