import test from 'ava';
import { readAttributes } from '../../trigger/attributes.ts';
import { CONTACT_ID } from '../trigger/invocation.ts';
import { ourFlow } from './our-flows.ts';
import { type Circumstances, type Happening, runFlow } from './run-flow.ts';

const run = (circumstances?: Circumstances) => runFlow(ourFlow('sample-transfer'), circumstances);
const STREAMING = { streaming: true };
const ATTRIBUTES = {
  dg_callback: 'https://your-endpoint.invalid/{contact-id}',
  dg_model: 'nova-3',
  dg_tag: 'sample transfer',
};
const INVOKED = { invokedWith: ATTRIBUTES };
const HOLD: Happening[] = [{ said: 'You are being transferred. Please hold.' }, { silentMs: 8000 }];
const TRANSFERRED = { transferred: true } as const;

test('a transferred contact gets a session of its own, and is transferred', (t) => {
  t.deepEqual(run(), [STREAMING, INVOKED, ...HOLD, TRANSFERRED]);
});

test('the trigger accepts the attributes as parameters', (t) => {
  const { dgParams } = readAttributes(ATTRIBUTES, CONTACT_ID);
  t.like(dgParams, { callback: `https://your-endpoint.invalid/${CONTACT_ID}`, model: 'nova-3' });
});

const TROUBLES: [trouble: string, circumstances: Circumstances, before: Happening[], said: RegExp][] = [
  [
    'media streaming does not start',
    { fails: ({ Identifier }) => Identifier === 'Start media streaming' },
    [],
    /media/,
  ],
  [
    'the attributes cannot be set',
    { fails: ({ Type }) => Type === 'UpdateContactAttributes' },
    [STREAMING],
    /parameters/,
  ],
  ['the trigger cannot be invoked', { fails: ({ Type }) => Type === 'InvokeLambdaFunction' }, [STREAMING], /respond/],
  ['the trigger does not respond', { result: () => undefined }, [STREAMING, INVOKED, ...HOLD], /respond/],
  ['the trigger returns fail', { result: () => 'fail' }, [STREAMING, INVOKED, ...HOLD], /failure/],
];
for (const [trouble, circumstances, before, said] of TROUBLES) {
  test(`if ${trouble}, the contact hears so, and is transferred all the same`, (t) => {
    const happenings = run(circumstances);
    t.deepEqual(happenings.slice(0, before.length), before);
    const [announcement, ...rest] = happenings.slice(before.length);
    t.regex(announcement && 'said' in announcement ? announcement.said : '', said);
    t.deepEqual(rest, [TRANSFERRED]);
  });
}

test('a contact that cannot be transferred hears so before the flow hangs up', (t) => {
  const happenings = run({ fails: ({ Type }) => Type === 'TransferContactToQueue' });
  t.deepEqual(happenings.slice(-3), [
    { said: 'You cannot be transferred now. Please call again later.' },
    { streaming: false },
    { hungUp: true },
  ]);
});
