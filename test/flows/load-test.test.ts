import test from 'ava';
import { readAttributes } from '../../trigger/attributes.ts';
import { CONTACT_ID } from '../trigger/invocation.ts';
import { ourFlow } from './our-flows.ts';
import { type Circumstances, type Happening, runFlow } from './run-flow.ts';

/** trigger/README.md: one call starts 90 sessions, 2 s apart. */
const SESSIONS = 90;
const PAUSE = { silentMs: 2000 };

const run = (circumstances?: Circumstances) => runFlow(ourFlow('load-test'), circumstances);
const isInvocation = (happening: Happening) => 'invokedWith' in happening;
const invocations = (happenings: readonly Happening[]) =>
  happenings.flatMap((happening) => ('invokedWith' in happening ? [happening.invokedWith] : []));
const times = (happenings: readonly Happening[], said: string) =>
  happenings.filter((happening) => 'said' in happening && happening.said === said).length;
const silentMinutes = (happenings: readonly Happening[]) =>
  happenings.filter((happening) => 'silentMs' in happening && happening.silentMs === 60_000).length;

test('one call starts 90 sessions: one with the callback, then 89 without, paced', (t) => {
  const requested = invocations(run()).map((attributes) => readAttributes(attributes, CONTACT_ID));
  const tag = ['loadTest', 'dg_amazonconnect'];
  const callback = `https://your-endpoint.invalid/${CONTACT_ID}`;
  const first = { dgParams: { callback, model: 'nova-3', tag }, enforceRealtime: false, withEmptyValue: [] };
  const paced = { enforceRealtime: true, results: { webhook: null }, withEmptyValue: [] };
  const further = { dgParams: { model: 'nova-3', tag }, ...paced };
  t.deepEqual(requested, [first, ...Array.from({ length: SESSIONS - 1 }, () => further)]);
});

test('the sessions start 2 s apart, and then the call is kept', (t) => {
  const happenings = run();
  const [start, stop] = [happenings.findIndex(isInvocation), happenings.findLastIndex(isInvocation)];
  const between = happenings.slice(start, stop).filter((happening) => !isInvocation(happening));
  t.deepEqual(
    between,
    Array.from({ length: SESSIONS - 1 }, () => PAUSE),
  );
  t.deepEqual(happenings[start - 1], { streaming: true });
  t.deepEqual(happenings[stop + 1], { said: 'All sessions have been requested.' });
  t.is(silentMinutes(happenings), 100);
  t.deepEqual(happenings.slice(-2), [{ streaming: false }, { hungUp: true }]);
});

test('a session that fails, or has no response, is announced, and the load test continues', (t) => {
  const results = ['success', 'fail', undefined];
  const happenings = run({ result: (index) => results[index % results.length] });
  t.is(invocations(happenings).length, SESSIONS);
  t.is(times(happenings, 'Failed.'), SESSIONS / results.length);
  t.is(times(happenings, 'No response.'), SESSIONS / results.length);
});

const FIRST_TROUBLES: [trouble: string, circumstances: Circumstances, invoked: number, said: string][] = [
  [
    'media streaming does not start',
    { fails: ({ Identifier }) => Identifier === 'Start media streaming' },
    0,
    'There is no load test, because media streaming did not start.',
  ],
  [
    'the first parameters cannot be set',
    { fails: ({ Identifier }) => Identifier === 'Set first parameters' },
    0,
    'There is no load test, because the parameters could not be set.',
  ],
  [
    'the first session has no response',
    { result: () => undefined },
    1,
    'There is no load test, because the trigger function did not respond.',
  ],
  ['the first session fails', { result: () => 'fail' }, 1, 'There is no load test, because the first session failed.'],
  [
    'the further parameters cannot be set, which would send 90 transcripts to one callback',
    { fails: ({ Identifier }) => Identifier === 'Set further parameters' },
    1,
    'The load test stays with one session, because the parameters of the others could not be set.',
  ],
];

for (const [trouble, circumstances, invoked, said] of FIRST_TROUBLES) {
  test(`if ${trouble}, no further session is started, and the call is kept`, (t) => {
    const happenings = run(circumstances);
    t.is(invocations(happenings).length, invoked);
    t.is(times(happenings, said), 1);
    t.is(silentMinutes(happenings), 100);
  });
}
