import test, { type ExecutionContext } from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { LeakWatch } from '../support/leak-watch.ts';
import { Stage } from './stage.ts';

const SECOND = 8000;
const WITHOUT_REDACTION = `--import=${new URL('../log/without-redaction.ts', import.meta.url)}`;

/** Texts of others that end up in the log, with content that must not be logged. */
const SAYINGS = {
  'an attribute’s value': 'cannot make sense of KEYTERM-of-the-stage',
  'a callback cut off in its credentials': 'cannot reach https://user:planted-passw',
  'a callback’s query': 'cannot reach wss://results.example/r?key=planted',
  'a phone number': 'who is +1 555-0100-123?',
};

/** A call whose link to Deepgram is closed with each of the texts, on a daemon that logs everything. */
async function callThatIsSpokenOf(t: ExecutionContext, env: Record<string, string>, sayings: readonly string[]) {
  const stage = await Stage.open({ env });
  // Tests await `close` themselves, which rejects on a leak; this one ends the stage of a test that failed before.
  t.teardown(() => stage.close().catch(() => {}));
  const request = await stage.call({ customer: bytesOf(distinctSamples(8 * SECOND)), speed: 4 });
  await stage.deepgram.addFaults(...sayings.map((reason) => ({ closeAfterMs: 500, code: 1011 as const, reason })));
  t.is((await stage.start(request)).status, 200);
  await stage.ended(request.contactId);
  const lost = stage.daemon.lines.filter(({ event }) => event === 'deepgram.lost');
  return { stage, lost };
}

test('secrets of a call in texts of others are masked in the log', async (t) => {
  const { stage, lost } = await callThatIsSpokenOf(t, {}, Object.values(SAYINGS));
  t.deepEqual(
    lost.map(({ closeReason }) => closeReason),
    ['cannot make sense of ***', 'cannot reach https://***', 'cannot reach wss://results.example/***', 'who is ***?'],
  );
  await t.notThrowsAsync(stage.close());
});

test('a daemon without redaction fails its test', async (t) => {
  const [saying] = Object.values(SAYINGS) as [string];
  // It changes a module of the sources.
  const env = { NODE_OPTIONS: WITHOUT_REDACTION, TEST_BUNDLES: '' };
  const { stage, lost } = await callThatIsSpokenOf(t, env, [saying]);
  t.is(lost[0]?.['closeReason'], saying);
  await t.throwsAsync(stage.close(), { message: /^daemon\/main\.ts wrote a secret into its log: / });
});

for (const [what, saying] of Object.entries(SAYINGS)) {
  test(`the leak watch notices ${what}`, (t) => {
    const watch = new LeakWatch({});
    watch.read('{"event":"deepgram.lost","closeReason":"NET-0000"}');
    t.deepEqual(watch.leaks, []);
    watch.read(JSON.stringify({ event: 'deepgram.lost', closeReason: saying }));
    t.is(watch.leaks.length, 1);
  });
}

test('the leak watch notices words of the call, but for lines at debug', (t) => {
  const watch = new LeakWatch({});
  const words = 'thank you for calling';
  watch.read(JSON.stringify({ level: 'debug', event: 'deepgram.result', transcript: words }));
  watch.read(JSON.stringify({ level: 'info', event: 'session.started', why: 'calling for you' }));
  t.deepEqual(watch.leaks, []);
  watch.read(JSON.stringify({ level: 'warn', event: 'results.failing', reason: `cannot post ${words}` }));
  t.is(watch.leaks.length, 1);
});
