import test from 'ava';
import { readAttributes } from '../../trigger/attributes.ts';
import { CONTACT_ID } from '../trigger/invocation.ts';
import { ourFlow } from './our-flows.ts';
import { type Happening, runFlow, type World } from './run-flow.ts';

const MINUTES_KEPT = 100;
const MINUTE_MS = 60_000;

const run = (world?: World) => runFlow(ourFlow('sample-inbound'), world);
const HELLO = { said: 'This is a sample of real time transcription.' };
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

test('a call is streamed, then the trigger is invoked with the attributes, and the caller hears that it worked', (t) => {
  const said = { said: 'This call is being transcribed.' };
  t.deepEqual(run(), [HELLO, STREAMING, { invokedWith: ATTRIBUTES }, said, ...THE_CALL]);
});

test('the attributes are parameters that the trigger takes', (t) => {
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

const TROUBLES: [trouble: string, world: World, before: Happening[], said: string][] = [
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
    'the trigger does not answer',
    { answer: () => undefined },
    [STREAMING, { invokedWith: ATTRIBUTES }],
    'The trigger function did not answer, so this call may not be transcribed.',
  ],
  [
    'the trigger answers fail',
    { answer: () => 'fail' },
    [STREAMING, { invokedWith: ATTRIBUTES }],
    'This call is not being transcribed, because the trigger function said that it failed.',
  ],
  [
    'another function is invoked by mistake',
    { answer: () => 'ok' },
    [STREAMING, { invokedWith: ATTRIBUTES }],
    'This call is not being transcribed, because the trigger function said that it failed.',
  ],
];

for (const [trouble, world, before, said] of TROUBLES) {
  test(`when ${trouble}, the caller hears so, and the call goes on all the same`, (t) => {
    t.deepEqual(run(world), [HELLO, ...before, { said }, ...THE_CALL]);
  });
}

test('prompts that cannot be played change nothing else', (t) => {
  const happenings = run({ fails: ({ Type }) => Type === 'MessageParticipant' });
  t.deepEqual(happenings, [STREAMING, { invokedWith: ATTRIBUTES }, { streaming: false }, { hungUp: true }]);
});
