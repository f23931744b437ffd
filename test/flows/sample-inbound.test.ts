import test from 'ava';
import { readAttributes } from '../../trigger/attributes.ts';
import { CONTACT_ID } from '../trigger/invocation.ts';
import { actionIn, ourFlow } from './our-flows.ts';
import { type Circumstances, type Happening, runFlow } from './run-flow.ts';
import { BEGIN, findings, LOAD } from './spoil.ts';

const MINUTES_KEPT = 100;
const MINUTE_MS = 60_000;

const run = (circumstances?: Circumstances) => runFlow(ourFlow('sample-inbound'), circumstances);
const HELLO = { said: 'This is a sample of real-time transcription.' };
const STREAMING = { streaming: true };
const BEGINNING = { silentMs: 10_000 };
const THE_CALL: Happening[] = [
  ...Array.from({ length: MINUTES_KEPT }, () => ({ silentMs: MINUTE_MS })),
  { streaming: false },
  { hungUp: true },
];
const ATTRIBUTES = {
  dg_callback: 'https://your-endpoint.invalid/{contact-id}',
  dg_model: 'nova-3',
  dg_tag: 'sample inbound',
};

test('a call is streamed, the trigger is invoked with the attributes, and the caller hears that it worked', (t) => {
  const said = { said: 'This call is being transcribed.' };
  t.deepEqual(run(), [HELLO, STREAMING, { invokedWith: ATTRIBUTES }, BEGINNING, said, ...THE_CALL]);
});

test('the caller does not wait for a trigger that takes all of its time', (t) => {
  t.deepEqual(run({ tookMs: () => 7000 }), run({ tookMs: () => 0 }));
});

test('the synchronous form does the same, with the result before the call', (t) => {
  const circumstances: Circumstances[] = [{}, ...TROUBLES.map(([, trouble]) => trouble)];
  for (const one of circumstances) {
    const happenings = runFlow(ourFlow('sample-inbound-synchronous'), one);
    t.deepEqual(
      happenings,
      run(one).filter((happening) => !isBeginning(happening)),
    );
  }
});

test('a flow may wait for the result: a Wait block takes as long as the trigger, at most', (t) => {
  const flow = ourFlow('sample-inbound');
  const wait = actionIn(flow, BEGIN);
  wait.Type = 'Wait';
  wait.Parameters = { TimeLimitSeconds: '8', Events: ['LambdaReturned'] };
  wait.Transitions = {
    NextAction: 'Say there was no response',
    Conditions: [condition('LambdaReturned', LOAD), condition('WaitCompleted', 'Say there was no response')],
    Errors: [{ NextAction: 'Say there was no response', ErrorType: 'NoMatchingError' }],
  };
  t.deepEqual(findings(flow), []);
  const said = { said: 'This call is being transcribed.' };
  const begun = [HELLO, STREAMING, { invokedWith: ATTRIBUTES }];
  t.deepEqual(runFlow(flow, { tookMs: () => 3000 }), [...begun, { waitedMs: 3000 }, said, ...THE_CALL]);
  const none = { said: 'The trigger function did not respond, so this call may not be transcribed.' };
  t.deepEqual(runFlow(flow, { tookMs: () => 60_000 }), [...begun, { waitedMs: 8000 }, none, ...THE_CALL]);
});

test('the trigger accepts the attributes as parameters', (t) => {
  t.deepEqual(readAttributes(ATTRIBUTES, CONTACT_ID), {
    dgParams: {
      callback: `https://your-endpoint.invalid/${CONTACT_ID}`,
      model: 'nova-3',
      tag: ['sample', 'inbound', 'dg_amazonconnect'],
    },
    enforceRealtime: false,
    withEmptyValue: [],
  });
});

function isBeginning(happening: Happening): boolean {
  return 'silentMs' in happening && happening.silentMs === BEGINNING.silentMs;
}

function condition(on: string, NextAction: string) {
  return { NextAction, Condition: { Operator: 'Equals', Operands: [on] } };
}

const TROUBLES: [trouble: string, circumstances: Circumstances, before: Happening[], said: string][] = [
  [
    'media streaming does not start',
    { fails: ({ Identifier }) => Identifier === 'Start media streaming' },
    [],
    'This call is not being transcribed, because media streaming did not start.',
  ],
  [
    'the attributes cannot be set',
    { fails: ({ Type }) => Type === 'UpdateContactAttributes' },
    [STREAMING],
    'This call is not being transcribed, because its parameters could not be set.',
  ],
  [
    'the trigger does not respond',
    { result: () => undefined },
    [STREAMING, { invokedWith: ATTRIBUTES }, BEGINNING],
    'The trigger function did not respond, so this call may not be transcribed.',
  ],
  [
    'the trigger cannot be invoked',
    { fails: ({ Type }) => Type === 'InvokeLambdaFunction' },
    [STREAMING],
    'The trigger function did not respond, so this call may not be transcribed.',
  ],
  [
    'the trigger takes longer than it may',
    { tookMs: () => 60_000 },
    [STREAMING, { invokedWith: ATTRIBUTES }, BEGINNING],
    'The trigger function did not respond, so this call may not be transcribed.',
  ],
  [
    'the trigger returns fail',
    { result: () => 'fail' },
    [STREAMING, { invokedWith: ATTRIBUTES }, BEGINNING],
    'This call is not being transcribed, because the trigger function reported a failure.',
  ],
  [
    'another function is invoked by mistake',
    { result: () => 'ok' },
    [STREAMING, { invokedWith: ATTRIBUTES }, BEGINNING],
    'This call is not being transcribed, because the trigger function reported a failure.',
  ],
];

for (const [trouble, circumstances, before, said] of TROUBLES) {
  test(`if ${trouble}, the caller hears so, and the call continues`, (t) => {
    t.deepEqual(run(circumstances), [HELLO, ...before, { said }, ...THE_CALL]);
  });
}

test('prompts that cannot be played have no other effect', (t) => {
  const happenings = run({ fails: ({ Type }) => Type === 'MessageParticipant' });
  t.deepEqual(happenings, [STREAMING, { invokedWith: ATTRIBUTES }, { streaming: false }, { hungUp: true }]);
});
