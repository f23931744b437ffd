import anyTest, { type TestFn } from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { CALL } from '../simulators/deepgram/call-audio.ts';
import type { CallDescription } from '../simulators/kinesis-video/client.ts';
import type { Line } from '../support/process.ts';
import { channel, Stage } from './stage.ts';

const test = anyTest as TestFn<{ stage: Stage }>;
const SECOND = 8000;
/** Faster than real time, to save time. */
const SPEED = 20;

test.before(async (t) => {
  t.context = { stage: await Stage.open() };
});
test.after.always((t) => t.context.stage.close());

/** Samples, padded with silence to `length`. */
function padded(samples: Int16Array, length: number, startsAt = 0): Int16Array {
  const all = new Int16Array(length);
  all.set(samples, startsAt);
  return all;
}

const CUSTOMER = distinctSamples(5 * SECOND + 77, 1);
const AGENT = distinctSamples(4 * SECOND + 13, 2);
const tracksOf = (options: NonNullable<CallDescription['options']>) => ({
  customer: bytesOf(CUSTOMER),
  agent: bytesOf(AGENT),
  speed: SPEED,
  options,
});
const named = (side: 'customer' | 'agent', name: string, number: number, startsAtMs = 0) => ({
  side,
  name,
  number,
  startsAtMs,
});

/** Forms in which a stream may carry a call. Deepgram must receive the same for all of them. */
const FORMS: Record<string, Omit<CallDescription, 'contactId'>> = {
  'as Connect writes it': tracksOf({}),
  'with the ContactId before the cluster': tracksOf({ contactTag: 'before' }),
  'with blocks delivered one by one': tracksOf({ cluster: 'unknown' }),
  'with blocks delivered one by one and the ContactId first': tracksOf({
    cluster: 'unknown-short',
    contactTag: 'before',
  }),
  'without an odd block': tracksOf({ oddBlock: false }),
  'with the tracks in another order and under other numbers': tracksOf({
    tracks: [named('agent', 'AUDIO_TO_CUSTOMER', 1), named('customer', 'AUDIO_FROM_CUSTOMER', 7)],
  }),
  'with the old name of the customer track': tracksOf({
    tracks: [named('customer', 'Track_audio/L16', 1), named('agent', 'AUDIO_TO_CUSTOMER', 2)],
  }),
  'in fragments of 5 s': { ...tracksOf({}), fragmentMs: 5000 },
  'in fragments of a block each': { ...tracksOf({}), fragmentMs: 64 },
  'with a producer clock that starts at 0': { ...tracksOf({}), startMs: 0 },
  'as a recording, all at once': { ...tracksOf({}), realtime: false },
};

for (const [form, call] of Object.entries(FORMS)) {
  test(`a call ${form} arrives sample for sample on the right channels`, async (t) => {
    const { ended, audio, connection } = await t.context.stage.transcribe(await t.context.stage.call(call));
    t.is(difference(channel(audio, 0), CUSTOMER), 'the same');
    t.is(difference(channel(audio, 1), padded(AGENT, CUSTOMER.length)), 'the same');
    t.like(ended, { outcome: 'completed', gapMs: 0 });
    t.like(connection, { closeCode: 1000, controlMessages: { CloseStream: 1 } });
  });
}

test('a call with the customer alone arrives with the agent silent', async (t) => {
  const { audio } = await t.context.stage.transcribe(
    await t.context.stage.call({ customer: bytesOf(CUSTOMER), speed: SPEED }),
  );
  t.is(difference(channel(audio, 0), CUSTOMER), 'the same');
  t.is(difference(channel(audio, 1), new Int16Array(CUSTOMER.length)), 'the same');
});

test('an agent who joins late is heard from that moment on', async (t) => {
  const tracks = [named('customer', 'AUDIO_FROM_CUSTOMER', 1), named('agent', 'AUDIO_TO_CUSTOMER', 2, 2048)];
  const { audio } = await t.context.stage.transcribe(await t.context.stage.call(tracksOf({ tracks })));
  const length = Math.max(CUSTOMER.length, 2048 * 8 + AGENT.length);
  t.is(difference(channel(audio, 0), padded(CUSTOMER, length)), 'the same');
  t.is(difference(channel(audio, 1), padded(AGENT, length, 2048 * 8)), 'the same');
});

test('fragments that the stream lost become a counted, silent gap; everything around it arrives', async (t) => {
  const call = tracksOf({ missingFragments: [1, 2], oddBlock: false });
  const { ended, audio } = await t.context.stage.transcribe(await t.context.stage.call({ ...call, fragmentMs: 1024 }));
  const expected = CUSTOMER.slice().fill(0, 1024 * 8, 3072 * 8);
  t.is(difference(channel(audio, 0), expected), 'the same');
  t.is(ended['gapMs'], 2048);
});

for (const [when, fragments] of [
  ['in mid-call', [1]],
  ['at its end', [2, 3]],
] as const) {
  test(`what one side alone loses ${when} is counted, and comes as a gap of that side`, async (t) => {
    const { stage } = t.context;
    const samples = distinctSamples(4096 * 8, 1);
    const voices = { customer: bytesOf(samples), agent: bytesOf(samples), speed: SPEED };
    const renamed = { side: 'agent' as const, fragments: [...fragments] };
    const options = { oddBlock: false, renamed };
    const request = await stage.call({ ...voices, fragmentMs: 1024, options });
    const { ended, audio } = await stage.transcribe(request);
    const [fromMs, toMs] = [Math.min(...fragments) * 1024, (Math.max(...fragments) + 1) * 1024];
    t.is(difference(channel(audio, 0), samples), 'the same');
    t.is(difference(channel(audio, 1), samples.slice().fill(0, fromMs * 8, toMs * 8)), 'the same');
    t.is(ended['gapMs'], toMs - fromMs);
    const lines = stage.daemon.lines.filter(({ contactId }) => contactId === request.contactId);
    const gaps = lines.filter(({ event }) => event === 'audio.gap');
    t.is(
      gaps.reduce((sum, { missingMs }) => sum + Number(missingMs), 0),
      toMs - fromMs,
    );
    t.like(gaps.at(-1), { cause: 'corrupt', speaker: 'AGENT' });
    t.true(lines.some(({ event }) => event === 'kinesis.discarded'));
  });
}

test('the next caller on the same stream is not forwarded', async (t) => {
  const { stage } = t.context;
  const stream = 'pooled';
  const ours = await stage.call({ customer: bytesOf(CUSTOMER), realtime: false }, stream);
  await stage.call({ customer: bytesOf(distinctSamples(SECOND, 9)), realtime: false }, stream);
  const { ended, audio } = await stage.transcribe(ours);
  t.is(difference(channel(audio, 0), CUSTOMER), 'the same');
  t.like(ended, { outcome: 'completed', reason: 'next-contact' });
});

test('a connection that ends during a call is replaced, and nothing is lost or sent twice', async (t) => {
  const { stage } = t.context;
  const stream = 'interrupted';
  await stage.kinesis.addFaults(
    { stream, endAfterFragments: 1 },
    { stream, resetAfterFragments: 1 },
    { stream, resetAfterBytes: 20_000 },
  );
  const { ended, audio } = await stage.transcribe(await stage.call({ ...tracksOf({}), speed: 5 }, stream));
  t.is(difference(channel(audio, 0), CUSTOMER), 'the same');
  t.is(difference(channel(audio, 1), padded(AGENT, CUSTOMER.length)), 'the same');
  t.is(ended['gapMs'], 0);
});

test('a call uses one connection to Kinesis at a time', async (t) => {
  const { stage } = t.context;
  const request = await stage.call(tracksOf({}), 'frugal');
  await stage.transcribe(request);
  const { connections } = await stage.kinesis.requests();
  t.is(connections['frugal']?.max, 1);
});

test('every phrase of the sample call is recognized, each for its speaker', async (t) => {
  const { stage } = t.context;
  const { customer, agent, phrases } = CALL;
  const request = await stage.call({ customer: bytesOf(customer), agent: bytesOf(agent), speed: SPEED });
  const { audio } = await stage.transcribe(request);
  t.is(difference(channel(audio, 0), customer), 'the same');
  t.is(difference(channel(audio, 1), agent), 'the same');
  const said = stage.daemon.lines.filter((line) => line['contactId'] === request.contactId && line['isFinal'] === true);
  for (const [index, speaker] of ['customer', 'agent'].entries()) {
    const heard = said
      .filter((line) => line['channel'] === index && line['transcript'] !== '')
      .map((line) => line['transcript']);
    const expected = phrases
      .filter((phrase) => phrase.speaker === speaker)
      .map(({ words }) => words.map(({ word }) => word).join(' '));
    t.deepEqual(heard, expected);
  }
});

test('a second start for the same contact returns the first session', async (t) => {
  const { stage } = t.context;
  const request = await stage.call(tracksOf({}));
  const [first, second] = await Promise.all([stage.start(request), stage.start(request)]);
  t.like(first.body, { contactId: request.contactId, status: 'started' });
  t.deepEqual(second.body, { ...first.body, status: 'already-running' });
  await stage.ended(request.contactId);
  t.is((await stage.deepgram.connectionsTagged(request.contactId)).length, 1);
});

test('a start of the same contact with other parameters is a session of its own, with all of the call', async (t) => {
  const { stage } = t.context;
  const request = await stage.call(tracksOf({}));
  const other = { ...request, dgParams: { ...request.dgParams, language: 'es' } };
  const answers = await Promise.all([stage.start(request), stage.start(other)]);
  t.deepEqual(
    answers.map(({ body }) => body['status']),
    ['started', 'started'],
  );
  const ended = await Promise.all(
    answers.map(({ body }) =>
      stage.daemon.line((line) => line['event'] === 'session.ended' && line['sessionId'] === body['sessionId']),
    ),
  );
  t.is(ended[0]?.['audioMs'], ended[1]?.['audioMs']);
  t.like(ended[1], { outcome: 'completed', gapMs: 0 });
  t.is((await stage.deepgram.connectionsTagged(request.contactId)).length, 2);
});

test('a transferred contact on the same stream is a session of its own, and its log leads to the earlier one', async (t) => {
  const { stage } = t.context;
  const stream = 'transferred';
  const first = await stage.call({ customer: bytesOf(CUSTOMER), realtime: false }, stream);
  const own = distinctSamples(SECOND, 9);
  const second = await stage.call({ customer: bytesOf(own), realtime: false }, stream);
  const contact = { initialContactId: first.contactId, previousContactId: first.contactId };
  const [before, after] = await Promise.all([stage.transcribe(first), stage.transcribe({ ...second, contact })]);
  t.is(difference(channel(before.audio, 0), CUSTOMER), 'the same');
  t.is(difference(channel(after.audio, 0), own), 'the same');
  const isOfSecond = (line: Line) => line['event'] === 'session.started' && line['contactId'] === second.contactId;
  t.like(stage.daemon.lines.find(isOfSecond), contact);
});

test('with enforceRealtime, one contact can have several sessions, paced as if live', async (t) => {
  const { stage } = t.context;
  const request = { ...(await stage.call({ customer: bytesOf(CUSTOMER), realtime: false })), enforceRealtime: true };
  const answers = await Promise.all([stage.start(request), stage.start(request)]);
  t.deepEqual(
    answers.map(({ body }) => body['status']),
    ['started', 'started'],
  );
  t.not(answers[0]?.body['sessionId'], answers[1]?.body['sessionId']);
  for (const { body } of answers) {
    await stage.daemon.line((line) => line['event'] === 'session.ended' && line['sessionId'] === body['sessionId']);
  }
  for (const connection of await stage.deepgram.connectionsTagged(request.contactId)) {
    const { audioArrivalsMs, audioMessageBytes, requestId } = connection;
    t.true(
      audioMessageBytes.every((bytes) => bytes <= 64 * 32),
      'messages of 64 ms',
    );
    // Slower on a slow machine, but never faster than the call. Arrivals are relative to the opening.
    const playedMs = (audioMessageBytes.length - 1) * 64;
    t.true((audioArrivalsMs.at(-1) as number) >= playedMs * 0.95, requestId);
    t.is(difference(channel(await stage.deepgram.audio(requestId), 0), CUSTOMER), 'the same');
  }
});
