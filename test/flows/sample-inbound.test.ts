import test from 'ava';
import { readAttributes } from '../../trigger/attributes.ts';
import { CONTACT_ID } from '../trigger/invocation.ts';
import { ourFlow } from './our-flows.ts';
import { type Circumstances, type Happening, runFlow } from './run-flow.ts';

const MINUTES_KEPT = 100;
const MINUTE_MS = 60_000;

const run = (circumstances?: Circumstances) => runFlow(ourFlow('sample-inbound'), circumstances);
const HELLO = { said: 'This is a sample of real-time transcription.' };
const STREAMING = { streaming: true };
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
  t.deepEqual(run(), [HELLO, STREAMING, { invokedWith: ATTRIBUTES }, said, ...THE_CALL]);
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
    [STREAMING, { invokedWith: ATTRIBUTES }],
    'The trigger function did not respond, so this call may not be transcribed.',
  ],
  [
    'the trigger returns fail',
    { result: () => 'fail' },
    [STREAMING, { invokedWith: ATTRIBUTES }],
    'This call is not being transcribed, because the trigger function reported a failure.',
  ],
  [
    'another function is invoked by mistake',
    { result: () => 'ok' },
    [STREAMING, { invokedWith: ATTRIBUTES }],
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
