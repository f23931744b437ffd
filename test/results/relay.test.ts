import test from 'ava';
import { Relay } from '../../daemon/results/relay.ts';
import { RecordedEvents } from '../support/recorded-events.ts';
import { faultsOf, hear } from './heard-conversation.ts';
import { randomConversation } from './random-conversation.ts';

const CUSTOMER = 0;
const AGENT = 1;

/** `hello@1.2-1.5` is a word, in seconds of the connection. */
function results(channel: number, start: number, end: number, spoken: string, fields: object = {}) {
  const words = spoken.split(' ').flatMap((each) => {
    const { text, from, to } = /^(?<text>.+)@(?<from>[\d.]+)-(?<to>[\d.]+)$/.exec(each)?.groups ?? {};
    return text
      ? [{ word: text.toLowerCase(), punctuated_word: text, start: Number(from), end: Number(to), confidence: 0.9 }]
      : [];
  });
  const transcript = words.map((word) => word.punctuated_word).join(' ');
  const alternatives = [{ transcript, confidence: words.length > 0 ? 0.9 : 0, words }];
  const times = { start, duration: Number((end - start).toFixed(3)) };
  return {
    type: 'Results',
    channel_index: [channel, 2],
    ...times,
    is_final: true,
    channel: { alternatives },
    ...fields,
  };
}

function relayed() {
  const log = new RecordedEvents();
  const relay = new Relay(log);
  return { log, relay, texts: () => log.finals.map(({ text }) => text) };
}

test('a final becomes an event with its speaker, and with all times in ms of the call', (t) => {
  const { log, relay } = relayed();
  const message = results(AGENT, 1, 4, 'Hello,@1.5-1.9 you.@2-2.4', { speech_final: true, metadata: { start: 1 } });
  relay.take(message, 60_000, 3);
  const [final] = log.finals;
  t.like(final, { speaker: 'AGENT', startMs: 61_500, endMs: 62_400, text: 'Hello, you.', speechFinal: true });
  t.like(final, { connection: 3, dropped: 0, confidence: 0.9 });
  t.deepEqual(final?.words, [
    { text: 'Hello,', startMs: 61_500, endMs: 61_900, confidence: 0.9 },
    { text: 'you.', startMs: 62_000, endMs: 62_400, confidence: 0.9 },
  ]);
  const moved = results(AGENT, 61, 64, 'Hello,@61.5-61.9 you.@62-62.4', { speech_final: true, metadata: { start: 1 } });
  t.deepEqual(final?.deepgram, moved);
  t.deepEqual(log.state?.finalMs, [0, 64_000]);
});

test('words that a new connection repeats are left out, the rest is passed on in Deepgram’s words', (t) => {
  const { log, relay, texts } = relayed();
  relay.take(results(CUSTOMER, 0, 4, 'My@1-1.3 name@1.4-1.8 is@1.9-2.1 Bond.@2.2-2.6'), 0, 1);
  // 300 ms later than the first connection would say.
  relay.take(results(CUSTOMER, 0, 4, 'is@0.2-0.4 Bond.@0.5-0.9 James@1-1.4 Bond.@1.5-2'), 2000, 2);
  t.deepEqual(texts(), ['My name is Bond.', 'James Bond.']);
  t.like(log.finals[1], { startMs: 4000, dropped: 2, connection: 2 });
  // Deepgram's own message is whole.
  t.is(JSON.stringify(log.finals[1]?.deepgram).match(/punctuated_word/g)?.length, 4);
});

test('a misheard word at the cut is a repetition', (t) => {
  const { relay, texts } = relayed();
  relay.take(results(CUSTOMER, 0, 2.6, 'My@1-1.3 name@1.4-1.8 is@1.9-2.1 Pond@2.2-2.6'), 0, 1);
  relay.take(results(CUSTOMER, 0, 4, 'name@0.4-0.8 is@0.9-1.1 Bond.@1.2-1.6 James@1.7-2'), 1000, 2);
  t.deepEqual(texts(), ['My name is Pond', 'James']);
});

test('where no text matches, midpoints decide', (t) => {
  const { relay, texts } = relayed();
  relay.take(results(CUSTOMER, 0, 3, 'One@2-2.4'), 0, 1);
  relay.take(results(CUSTOMER, 0, 3, 'Won@1-1.4 next@2.1-2.4'), 1000, 2);
  t.deepEqual(texts(), ['One', 'next']);
});

test('of a number that a cut divides, the second part is new', (t) => {
  const { relay, texts } = relayed();
  relay.take(results(CUSTOMER, 0, 2.5, 'It@1-1.2 is@1.3-1.5 5@2-2.4'), 0, 1);
  relay.take(results(CUSTOMER, 0, 4, 'It@0.5-0.7 is@0.8-1 56@1.5-2.3 ok@2.4-2.6'), 500, 2);
  t.deepEqual(texts(), ['It is 5', '6 ok']);
});

test('finals of one speaker never overlap, whatever the shift of the word times', (t) => {
  const { log, relay } = relayed();
  relay.take(results(CUSTOMER, 0, 3, 'One@2-2.4'), 0, 1);
  relay.take(results(CUSTOMER, 0, 3, 'One@0.8-1.2 two@1.9-2.2'), 1000, 2);
  t.like(log.finals[1], { text: 'two', startMs: 3000, endMs: 3200 });
});

test('a result without words is no event, unless it ends an utterance', (t) => {
  const { log, relay } = relayed();
  relay.take(results(CUSTOMER, 0, 3, ''), 0, 1);
  relay.take(results(CUSTOMER, 3, 4, '', { speech_final: true }), 0, 1);
  t.is(log.sequence, 0);
  relay.take(results(CUSTOMER, 4, 6, 'yes@5-5.5'), 0, 1);
  relay.take(results(CUSTOMER, 6, 7, '', { speech_final: true }), 0, 1);
  t.is(log.sequence, 2);
  t.like(log.finals[1], { text: '', speechFinal: true, words: [], startMs: 6000, endMs: 7000 });
  t.deepEqual(log.state?.finalMs, [7000, 0]);
});

test('interims are hints, and none follows the final of its time', (t) => {
  const { log, relay } = relayed();
  const interim = (end: number, spoken: string) => results(CUSTOMER, 0, end, spoken, { is_final: false });
  relay.take(interim(2, 'yes@1-1.5'), 0, 1);
  relay.take(results(CUSTOMER, 0, 2, 'yes@1-1.5'), 0, 1);
  relay.take(interim(2, 'yes@1-1.5'), 0, 1);
  relay.take(interim(3, 'yes@1-1.5 sir@2.2-2.6'), 0, 1);
  t.like(log.hints, [
    { type: 'transcript', final: false, text: 'yes', startMs: 1000, endMs: 1500 },
    { type: 'transcript', final: false, text: 'sir', startMs: 2200, endMs: 2600 },
  ]);
  t.is(log.hints.length, 2);
  t.is(log.sequence, 1);
});

test('the ends of utterances and starts of speech are hints, once over a reconnect', (t) => {
  const { log, relay } = relayed();
  relay.take({ type: 'SpeechStarted', channel: [1, 2], timestamp: 1 }, 0, 1);
  relay.take({ type: 'UtteranceEnd', channel: [1, 2], last_word_end: 2.5 }, 0, 1);
  relay.take({ type: 'UtteranceEnd', channel: [1, 2], last_word_end: -1 }, 0, 1);
  relay.take({ type: 'UtteranceEnd', channel: [1, 2], last_word_end: 1.6 }, 1000, 2);
  relay.take({ type: 'UtteranceEnd', channel: [1, 2], last_word_end: 6 }, 1000, 2);
  t.deepEqual(log.hints, [
    { type: 'speech.started', speaker: 'AGENT', atMs: 1000 },
    { type: 'utterance.ended', speaker: 'AGENT', atMs: 2500 },
    { type: 'utterance.ended', speaker: 'AGENT', atMs: 7000 },
  ]);
});

test('a transcript without word times is one piece', (t) => {
  const { log, relay } = relayed();
  const alternatives = [{ transcript: 'yes sir', confidence: 0.8 }];
  relay.take(results(CUSTOMER, 1, 3, '', { channel: { alternatives } }), 0, 1);
  t.like(log.finals[0], { text: 'yes sir', startMs: 1000, endMs: 3000 });
});

test('malformed messages are ignored', (t) => {
  const { log, relay } = relayed();
  const odd = [
    null,
    7,
    'x',
    [],
    {},
    { type: 'Results' },
    { type: 'Results', channel_index: [0, 2], start: 'x', duration: 1 },
  ];
  for (const message of odd) relay.take(message, 0, 1);
  relay.take({ ...results(CUSTOMER, 0, 1, 'a@0-1'), channel_index: [7, 8] }, 0, 1);
  relay.take(
    { ...results(CUSTOMER, 0, 1, ''), channel: { alternatives: [{ words: [{}, null, { word: 'a' }] }] } },
    0,
    1,
  );
  t.is(log.sequence, 0);
});

test('the text of a language without spaces is kept as Deepgram writes it', (t) => {
  const { relay, texts } = relayed();
  const words = (from: number) => `今日@${from}-${from + 0.4} は@${from + 0.5}-${from + 0.7}`;
  const message = (spoken: string, transcript: string) => {
    const whole = results(CUSTOMER, 0, 3, spoken);
    return { ...whole, channel: { alternatives: [{ ...whole.channel.alternatives[0], transcript }] } };
  };
  relay.take(message(words(1), '今日は'), 0, 1);
  relay.take(message(`${words(0)} 晴れ@2.1-2.4 です@2.5-2.8`, '今日は晴れです'), 1000, 2);
  t.deepEqual(texts(), ['今日は', '晴れです']);
});

test('the session’s own events carry the number of finals, and all state is in the log', (t) => {
  const { log, relay } = relayed();
  const startedAt = '2026-11-28T12:00:00.000Z';
  relay.started({ startedAt, model: 'nova-3', contact: { channel: 'VOICE' } });
  relay.take(results(CUSTOMER, 0, 3, 'One@2-2.4'), 0, 1);
  relay.gap({ startMs: 3000, endMs: 4000, cause: 'missing', channels: ['CUSTOMER', 'AGENT'] });
  const later = new Relay(log);
  later.resumed({ startedAt }, [3000, 0], 'instance-lost');
  later.take(results(CUSTOMER, 0, 3, 'One@1-1.4 two@2.1-2.3'), 1000, 2);
  later.ended({ outcome: 'completed', reason: 'silence', durationMs: 5000, gapMs: 1000, unfinishedMs: 0 });
  t.deepEqual(
    log.numbered.map(({ type }) => type),
    ['session.started', 'transcript', 'gap', 'session.resumed', 'transcript', 'session.ended'],
  );
  t.like(log.numbered[3], { from: { CUSTOMER: 3000, AGENT: 0 }, cause: 'instance-lost' });
  t.like(log.numbered[4], { text: 'two', dropped: 1 });
  t.like(log.numbered[5], { finals: 2, outcome: 'completed' });
});

test('random calls over breaking connections keep every word once', (t) => {
  let wrong = 0;
  for (let nth = 0; nth < 300; nth++) {
    const conversation = randomConversation(3, nth);
    const faults = faultsOf(conversation, hear(conversation));
    if (faults.length > 0) t.log(nth, faults);
    wrong += faults.length;
  }
  t.is(wrong, 0);
});
