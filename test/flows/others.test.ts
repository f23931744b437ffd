import test from 'ava';
import { checkFlow } from '../../trigger/flows/check/check-flow.ts';

/** [identifier, type, parameters, next action, errors, conditions], the last two as [name, next action]. */
type Block = [
  identifier: string,
  type: string,
  parameters?: Record<string, unknown>,
  next?: string | undefined,
  errors?: readonly [string, string][],
  conditions?: readonly [string, string][],
];

const STREAM = {
  MediaStreamingState: 'Enabled',
  MediaStreamType: 'Audio',
  Participants: [{ ParticipantType: 'Customer', MediaDirections: ['To', 'From'] }],
};
const STREAMING = 'UpdateContactMediaStreamingBehavior';
const MAP = { ResponseValidation: { ResponseType: 'STRING_MAP' } };
const failing = (to: string): [string, string][] => [['NoMatchingError', to]];
const lambda = (name: string, seconds: string | number = '8') => ({
  LambdaFunctionARN: `arn:aws:lambda:us-east-1:123456789012:function:${name}`,
  InvocationTimeLimitSeconds: seconds,
  ...MAP,
});

/** A flow as the editor exports it: blocks without friendly names, some of them on top of each other. */
function flow(...blocks: Block[]): string {
  return flowWith({}, ...blocks);
}

function flowWith(metadata: object, ...blocks: Block[]): string {
  const [[StartAction] = ['']] = blocks;
  const Actions = blocks.map(([Identifier, Type, Parameters = {}, NextAction, errors = [], conditions = []]) => ({
    Identifier,
    Type,
    Parameters,
    Transitions: {
      ...(NextAction === undefined ? {} : { NextAction }),
      Errors: errors.map(([ErrorType, to]) => ({ ErrorType, NextAction: to })),
      Conditions: conditions.map(([value, to]) => ({
        NextAction: to,
        Condition: { Operator: 'Equals', Operands: [value] },
      })),
    },
  }));
  const ActionMetadata = Object.fromEntries(blocks.map(([identifier]) => [identifier, { position: { x: 0, y: 0 } }]));
  const Metadata = { ActionMetadata, Annotations: [], ...metadata };
  return JSON.stringify({ Version: '2019-10-30', StartAction, Metadata, Actions });
}

function check(text: string, triggerName?: string) {
  const reports = checkFlow(text, triggerName);
  const of = (severity: string) =>
    reports.filter((each) => each.severity === severity).map(({ action, what }) => `${action}: ${what}`);
  return { errors: of('error'), warnings: of('warning') };
}

/** The shape of the original's sample flow: no check of the result, and hang-ups after failures. */
const ORIGINAL: Block[] = [
  ['log', 'UpdateFlowLoggingBehavior', { FlowLoggingBehavior: 'Enabled' }, 'hello'],
  ['hello', 'MessageParticipant', { Text: 'Hello.' }, 'stream', failing('end')],
  ['stream', STREAMING, STREAM, 'configure', failing('no stream')],
  ['no stream', 'MessageParticipant', { Text: 'Error starting streaming.' }, 'end', failing('end')],
  [
    'configure',
    'UpdateContactAttributes',
    { Attributes: { dg_callback: 'https://example.com/{contact-id}', dg_tag: 'a b' }, TargetContact: 'Current' },
    'trigger',
    failing('end'),
  ],
  ['trigger', 'InvokeLambdaFunction', { ...lambda(''), LambdaFunctionARN: '' }, 'said', failing('failed')],
  ['said', 'MessageParticipant', { Text: 'Invoked.' }, 'silence', failing('end')],
  ['failed', 'MessageParticipant', { Text: 'Failed or timed out.' }, 'silence', failing('end')],
  ['minute', 'MessageParticipant', { SSML: '<speak><break time="5s"/></speak>' }, 'silence', failing('end')],
  [
    'silence',
    'Loop',
    { LoopCount: '100' },
    'end',
    [],
    [
      ['ContinueLooping', 'minute'],
      ['DoneLooping', 'end'],
    ],
  ],
  ['end', 'DisconnectParticipant'],
];

test('the shape of the original’s sample flow has no errors, and its hang-ups are warnings', (t) => {
  const { errors, warnings } = check(flow(...ORIGINAL));
  t.deepEqual(errors, []);
  t.true(warnings.includes('trigger: result-unread'));
  t.true(warnings.includes('stream: caller-lost'));
});

test('a flow with another Lambda function, a bot, hours and a module has no findings about these', (t) => {
  const text = flow(
    ['record', 'UpdateContactRecordingAndAnalyticsBehavior', {}, 'voice'],
    ['voice', 'UpdateContactTextToSpeechVoice', { TextToSpeechVoice: 'Joanna' }, 'hours'],
    [
      'hours',
      'CheckHoursOfOperation',
      {},
      undefined,
      failing('end'),
      [
        ['True', 'stream'],
        ['False', 'closed'],
      ],
    ],
    ['closed', 'MessageParticipant', { PromptId: 'arn:aws:connect:us-east-1:123456789012:instance/i/prompt/p' }, 'end'],
    // The editor writes no error where none is wired.
    ['stream', STREAMING, STREAM, 'start analytics'],
    ['start analytics', 'InvokeLambdaFunction', lambda('LCA-StartLCA', 3), 'profile'],
    ['profile', 'InvokeLambdaFunction', lambda('salesforce-GetContact', '4'), 'set', failing('set')],
    ['set', 'UpdateContactAttributes', { Attributes: { tier: '$.External.tier', order: 7 } }, 'bot'],
    [
      'bot',
      'ConnectParticipantWithLexBot',
      { Text: 'How can we help?' },
      undefined,
      [
        ['NoMatchingError', 'queue'],
        ['NoMatchingCondition', 'bot'],
      ],
      [['Sales', 'module']],
    ],
    ['module', 'InvokeFlowModule', { FlowModuleId: 'm' }, 'queue', failing('queue')],
    ['queue', 'TransferContactToQueue', {}, 'end', [['QueueAtCapacity', 'end']]],
    ['end', 'DisconnectParticipant'],
  );
  t.deepEqual(check(text), { errors: [], warnings: ['(flow): no-trigger'] });
});

/** Someone else's flow with the trigger in it, wired correctly. */
function withTrigger(name: string, ...before: Block[]): string {
  return flow(
    [
      'menu',
      'GetParticipantInput',
      { Text: 'Press 1.' },
      undefined,
      [['NoMatchingCondition', 'menu']],
      [['1', 'stream']],
    ],
    ['stream', STREAMING, STREAM, 'configure', failing('menu')],
    [
      'configure',
      'UpdateContactAttributes',
      { Attributes: { dg_callback: 'https://example.com/' } },
      before[0]?.[0] ?? 'trigger',
      failing('queue'),
    ],
    ...before,
    ['trigger', 'InvokeLambdaFunction', lambda(name), 'result', failing('say lost')],
    [
      'result',
      'Compare',
      { ComparisonValue: '$.External.lambdaResult' },
      'say other',
      [['NoMatchingCondition', 'say other']],
      [
        ['success', 'queue'],
        ['fail', 'say failed'],
      ],
    ],
    ['say lost', 'MessageParticipant', { Text: 'No answer.' }, 'queue'],
    ['say failed', 'MessageParticipant', { Text: 'Not transcribed.' }, 'queue'],
    ['say other', 'MessageParticipant', { Text: 'Something else.' }, 'queue'],
    ['queue', 'TransferContactToQueue', {}, 'queue'],
  );
}

test('the trigger is known by its function’s name, by the use of its result, or by a name given', (t) => {
  for (const name of ['kvs-dg-trigger', 'Prod-Integratord-TriggerFunction1234', 'start-transcription'])
    t.deepEqual(check(withTrigger(name)), { errors: [], warnings: [] }, name);
  t.deepEqual(check(withTrigger('anything'), 'anything'), { errors: [], warnings: [] });
  t.deepEqual(check(withTrigger('anything'), 'something'), { errors: ['(flow): no-such-trigger'], warnings: [] });
});

test('another function between the attributes and the trigger is left alone', (t) => {
  const crm: Block = ['crm', 'InvokeLambdaFunction', lambda('crm', '2'), 'trigger', failing('trigger')];
  t.deepEqual(check(withTrigger('start-transcription', crm)), { errors: [], warnings: [] });
});

test('another function’s result in place of the trigger’s is found', (t) => {
  const text = withTrigger('kvs-dg-trigger');
  const json = JSON.parse(text);
  const trigger = json.Actions.find(({ Identifier }: { Identifier: string }) => Identifier === 'trigger');
  trigger.Transitions.NextAction = 'crm';
  json.Actions.push({
    Identifier: 'crm',
    Type: 'InvokeLambdaFunction',
    Parameters: lambda('crm', '2'),
    Transitions: { NextAction: 'result', Errors: [] },
  });
  t.true(check(JSON.stringify(json)).warnings.includes('result: stale-result'));
});

test('a function that is not chosen yet is left alone in a flow that sets no dg_ attributes', (t) => {
  const unchosen = { ...lambda(''), LambdaFunctionARN: '' };
  const whisper = flowWith(
    { type: 'agentWhisper' },
    ['agent', 'UpdateContactAttributes', { Attributes: { AgentId: '$.Agent.UserName' } }, 'update', failing('update')],
    ['update', 'InvokeLambdaFunction', unchosen, 'end', failing('end')],
    ['end', 'EndFlowExecution'],
  );
  t.deepEqual(check(whisper), { errors: [], warnings: ['(flow): no-trigger'] });
  // The editor keeps the names of functions that it does not export.
  const named = { parameters: { LambdaFunctionARN: { displayName: 'LCA-StartLCAFunction' } } };
  const inbound = flowWith(
    { ActionMetadata: { StartLCA: named } },
    ['stream', STREAMING, STREAM, 'StartLCA', failing('StartLCA')],
    ['StartLCA', 'InvokeLambdaFunction', unchosen, 'queue', failing('queue')],
    ['queue', 'TransferContactToQueue', {}, undefined, [['QueueAtCapacity', 'end']]],
    ['end', 'DisconnectParticipant'],
  );
  t.deepEqual(check(inbound), { errors: [], warnings: ['(flow): no-trigger'] });
});

/** Attributes and the trigger, as the part of a larger flow. */
const PART: Block[] = [
  ['configure', 'UpdateContactAttributes', { Attributes: { dg_model: 'nova-3' } }, 'trigger', failing('end')],
  ['trigger', 'InvokeLambdaFunction', lambda('integratord-trigger'), 'end', failing('end')],
];
const ELSEWHERE: [title: string, flow: string][] = [
  ['a flow module', flow(...PART, ['end', 'EndFlowModuleExecution'])],
  ['a whisper flow', flowWith({ type: 'agentWhisper' }, ...PART, ['end', 'EndFlowExecution'])],
  [
    'a flow after a module',
    flow(['module', 'InvokeFlowModule', {}, 'configure'], ...PART, ['end', 'EndFlowExecution']),
  ],
];
for (const [title, text] of ELSEWHERE) {
  test(`media streaming that may have been started elsewhere is no error: ${title}`, (t) => {
    const { errors, warnings } = check(text);
    t.deepEqual(errors, []);
    t.true(warnings.includes('trigger: may-not-stream'), warnings.join('; '));
  });
}

test('the API’s answer names the kind of the flow beside its content, which does not', (t) => {
  const content = flow(...PART, ['end', 'EndFlowExecution']);
  for (const Type of ['AGENT_TRANSFER', 'QUEUE_TRANSFER', 'CUSTOMER_QUEUE', 'CUSTOMER_WHISPER', 'CUSTOMER_HOLD']) {
    const { errors, warnings } = check(JSON.stringify({ ContactFlow: { Name: 'x', Type, Content: content } }));
    t.deepEqual(errors, [], Type);
    t.true(warnings.includes('trigger: may-not-stream'), Type);
  }
});

test('media streaming in a flow of unknown kind may have been started elsewhere', (t) => {
  const { errors, warnings } = check(flow(...PART, ['end', 'EndFlowExecution']));
  t.deepEqual(errors, []);
  t.true(warnings.includes('trigger: may-not-stream'), warnings.join('; '));
});

test('an inbound flow that starts no media streaming gets a warning, as Transfer to flow may lead to it', (t) => {
  const { errors, warnings } = check(flowWith({ type: 'contactFlow' }, ...PART, ['end', 'EndFlowExecution']));
  t.deepEqual(errors, []);
  t.true(warnings.includes('trigger: may-not-stream'), warnings.join('; '));
});

test('an inbound flow that starts media streaming after the trigger only is an error, also from the API', (t) => {
  const tooLate: Block[] = [
    ['configure', 'UpdateContactAttributes', { Attributes: { dg_model: 'nova-3' } }, 'trigger', failing('end')],
    ['trigger', 'InvokeLambdaFunction', lambda('integratord-trigger'), 'stream', failing('end')],
    ['stream', STREAMING, STREAM, 'end', failing('end')],
    ['end', 'EndFlowExecution'],
  ];
  t.deepEqual(check(flowWith({ type: 'contactFlow' }, ...tooLate)).errors, ['trigger: not-streaming']);
  const answer = { ContactFlow: { Name: 'x', Type: 'CONTACT_FLOW', Content: flow(...tooLate) } };
  t.deepEqual(check(JSON.stringify(answer)).errors, ['trigger: not-streaming']);
});

test('a path that skips the start of media streaming by a decision gets a warning', (t) => {
  const { errors, warnings } = check(
    flowWith(
      { type: 'contactFlow' },
      [
        'ask',
        'Compare',
        { ComparisonValue: '$.Attributes.streaming' },
        'stream',
        [['NoMatchingCondition', 'stream']],
        [['started', 'configure']],
      ],
      ['stream', STREAMING, STREAM, 'configure', failing('end')],
      ...PART,
      ['end', 'EndFlowExecution'],
    ),
  );
  t.deepEqual(errors, []);
  t.true(warnings.includes('trigger: may-not-stream'), warnings.join('; '));
});

/** Connect's event still names the stream after a stop. */
const AFTER_STOP: [title: string, ...between: Block[]][] = [
  ['at once', ['between', 'UpdateFlowLoggingBehavior', {}, 'configure']],
  [
    'after a question whether there is a stream',
    [
      'between',
      'Compare',
      { ComparisonValue: '$.MediaStreams.Customer.Audio.StreamARN' },
      'end',
      [['NoMatchingCondition', 'end']],
      [['arn', 'configure']],
    ],
  ],
];
for (const [title, ...between] of AFTER_STOP) {
  test(`the trigger after Stop media streaming is an error in every flow: ${title}`, (t) => {
    for (const type of ['contactFlow', 'queueTransfer', undefined]) {
      const text = flowWith(
        { type },
        ['stream', STREAMING, STREAM, 'stop', failing('end')],
        ['stop', STREAMING, { ...STREAM, MediaStreamingState: 'Disabled' }, 'between'],
        ...between,
        ...PART,
        ['end', 'EndFlowExecution'],
      );
      const [found, ...more] = checkFlow(text).filter(({ severity }) => severity === 'error');
      t.like(found, { action: 'trigger', what: 'not-streaming' });
      t.regex(found?.why ?? '', /^Media streaming is stopped .*: what is said now is not transcribed\. .* once more;/);
      t.deepEqual(more, []);
    }
  });
}

test('a flow that asks Connect whether media is streamed need not start it again', (t) => {
  const isStreamed = { Operator: 'TextContains', Operands: ['arn:aws'] };
  const json = JSON.parse(
    flow(
      [
        'ask',
        'Compare',
        { ComparisonValue: '$.MediaStreams.Customer.Audio.StreamARN' },
        'stream',
        [['NoMatchingCondition', 'stream']],
        [['arn:aws', 'configure']],
      ],
      ['stream', STREAMING, STREAM, 'configure', failing('end')],
      ...PART,
      ['end', 'EndFlowExecution'],
    ),
  );
  json.Actions[0].Transitions.Conditions[0].Condition = isStreamed;
  const { errors, warnings } = check(JSON.stringify(json));
  t.deepEqual(errors, []);
  t.false(
    warnings.some((each) => /stream/.test(each)),
    warnings.join('; '),
  );
});

test('destinations that the call decides are not refused', (t) => {
  for (const attributes of [
    {
      dg_model: '$.Attributes.model',
      dg_callback: '$.Attributes.callback',
      dgintegrator_webhook: 'https://example.com/',
    },
    { dg_callback: 'https://example.com/', dgintegrator_webhook: '$.External.webhook' },
  ]) {
    const json = JSON.parse(withTrigger('kvs-dg-trigger'));
    json.Actions[2].Parameters.Attributes = attributes;
    t.deepEqual(check(JSON.stringify(json)).errors, []);
  }
});

test('a function without a check of its response, as older exports have it, is no finding', (t) => {
  const json = JSON.parse(withTrigger('kvs-dg-trigger'));
  json.Actions[3].Parameters.ResponseValidation = undefined;
  t.deepEqual(check(JSON.stringify(json)), { errors: [], warnings: [] });
});

test('several paths to the same fault are one finding', (t) => {
  const reports = checkFlow(flow(...ORIGINAL)).filter(({ what }) => what === 'streaming-left-on');
  t.is(reports.length, 1);
  t.regex(reports[0]?.why ?? '', /Path: log > hello > .*, and \d+ others?\.$/);
});

test('the API’s answer, which has the flow as text, is read too', (t) => {
  for (const kind of ['ContactFlow', 'ContactFlowModule'])
    t.deepEqual(check(JSON.stringify({ [kind]: { Name: 'x', Content: withTrigger('kvs-dg-trigger') } })), {
      errors: [],
      warnings: [],
    });
});

test('a byte order mark, as Windows programs write it, is no fault', (t) => {
  t.deepEqual(check(`\ufeff${withTrigger('kvs-dg-trigger')}`), { errors: [], warnings: [] });
});

test('the editor’s old format is named, with a remedy', (t) => {
  const old = {
    modules: [{ id: '1', type: 'StartMediaStreaming', branches: [], parameters: [] }],
    version: '1',
    start: '1',
  };
  t.throws(() => checkFlow(JSON.stringify(old)), { name: 'OldFormat', message: /export it again/ });
});
