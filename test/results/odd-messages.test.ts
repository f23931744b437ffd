/** Whatever Deepgram sends, a session's events keep the contract (daemon/contract/events.ts). */
import test from 'ava';
import { type FinalTranscript, hintContent, numberedContent } from '../../daemon/contract/events.ts';
import { Relay } from '../../daemon/results/relay.ts';
import { randomFrom } from '../support/random.ts';
import { RecordedEvents } from '../support/recorded-events.ts';

const MESSAGES = 400;
const SEEDS = 40;

/**
 * Values that a field may have, valid or not.
 * @param now how long the connection has lasted, in seconds
 */
function oddities(random: () => number, now: () => number) {
  const pick = <T>(...values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const mostly = (valid: unknown, ...odd: readonly unknown[]) => (random() < 0.85 ? valid : pick(...odd));
  const seconds = (validS = now() + random()) => mostly(validS, 0, -1, 1e308, 1e9, null, '3.5', undefined);
  const text = () => mostly(pick('yes', 'no', 'eins zwei', '4711'), '', 'élan\u0000', 7, null, undefined);
  const share = () => mostly(random(), 0, 1, 2, -1, null, undefined, 'high');
  const channels = () => mostly(pick([0, 2], [1, 2]), [2, 3], [-1], [], 1, undefined, null);
  const word = () =>
    mostly(
      { word: text(), start: seconds(), end: seconds(), confidence: share(), punctuated_word: text() },
      { word: text(), start: seconds(), end: seconds(), speaker: 1 },
      null,
      'word',
    );
  const list = (item: () => unknown) => Array.from({ length: Math.floor(random() * 5) }, item);
  const alternative = () =>
    pick<unknown>(
      { transcript: text(), confidence: share(), words: pick<unknown>(list(word), list(word), null) },
      null,
    );
  const results = () => ({
    type: 'Results',
    channel_index: channels(),
    start: seconds(),
    duration: seconds(random()),
    is_final: pick<unknown>(true, true, true, false, 'true', undefined),
    speech_final: pick<unknown>(true, false, null),
    from_finalize: pick(true, false),
    channel: mostly({ alternatives: mostly([alternative()], list(alternative), {}) }, undefined, []),
    metadata: { extra: { start: 'untouched' } },
  });
  return () =>
    pick<unknown>(
      results(),
      results(),
      results(),
      { type: 'UtteranceEnd', channel: channels(), last_word_end: seconds() },
      { type: 'SpeechStarted', channel: channels(), timestamp: seconds() },
      { type: 'Metadata', duration: seconds() },
      { type: 'Error', description: 'something' },
      { type: 'NotInvented', start: seconds() },
      {},
      [],
      null,
      'text',
      17,
    );
}

/** A final of one second with one word. */
const said = (start: number, text: string) => ({
  type: 'Results',
  channel_index: [0, 2],
  start,
  duration: 1,
  is_final: true,
  speech_final: true,
  channel: { alternatives: [{ transcript: text, words: [{ word: text, start: start + 0.1, end: start + 0.9 }] }] },
});

function faultsOf(finals: readonly FinalTranscript[]): string[] {
  return finals.flatMap(({ speaker, startMs, endMs, words }, index) => {
    const before = finals.slice(0, index).findLast((final) => final.speaker === speaker);
    const isInOrder = words.every((word, at) => word.startMs >= (words[at - 1]?.startMs ?? startMs));
    return [
      ...(before && startMs < before.endMs ? [`${speaker} ${startMs} overlaps ${before.endMs}`] : []),
      ...(startMs <= endMs && isInOrder ? [] : [`${speaker} ${startMs}-${endMs} is out of order`]),
    ];
  });
}

test('every event keeps the contract, whatever the messages are, over any number of connections', (t) => {
  let finals = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = randomFrom(seed);
    let [connection, offsetMs, nowMs] = [1, 0, 0];
    const message = oddities(random, () => (nowMs - offsetMs) / 1000);
    const log = new RecordedEvents();
    const relay = new Relay(log);
    for (let nth = 0; nth < MESSAGES; nth++) {
      nowMs += 500;
      if (random() < 0.03) {
        connection++;
        offsetMs = Math.max(0, nowMs - Math.floor(random() * 10_000));
        nowMs = offsetMs;
      }
      relay.take(message(), offsetMs, connection);
    }
    finals += log.finals.length;
    for (const event of log.numbered) t.notThrows(() => numberedContent.parse(event));
    for (const event of log.hints) t.notThrows(() => hintContent.parse(event));
    t.deepEqual(faultsOf(log.finals), [], `seed ${seed}`);
    t.true(Math.max(...relay.finalMs) <= 172_800_000 + nowMs + 60_000, 'no moment is far from the call');
  }
  t.true(finals > 10 * SEEDS, 'some of it makes sense');
});

test('one result of a time beyond the audio misplaces no later word, and a reconnect loses none', (t) => {
  const odd = [
    { start: 2, duration: 3600, words: [] },
    { start: 2, duration: 1, words: [{ word: 'odd', start: 3000, end: 3001 }] },
    { start: 7200, duration: 1, words: [{ word: 'odd', start: 7200, end: 7201 }] },
  ];
  for (const { words, ...times } of odd) {
    const log = new RecordedEvents();
    const relay = new Relay(log);
    relay.take({ ...said(0, 'one'), ...times, channel: { alternatives: [{ words }] } }, 0, 1, 3000);
    relay.take({ type: 'UtteranceEnd', channel: [0, 2], last_word_end: 9000 }, 0, 1, 3000);
    relay.take(said(3, 'two'), 0, 1, 4000);
    relay.take(said(3, 'three'), 2000, 2, 6000);
    relay.take({ type: 'UtteranceEnd', channel: [0, 2], last_word_end: 3.9 }, 2000, 2, 6000);
    const later = log.finals.flatMap((final) => final.words).filter(({ text }) => text !== 'odd');
    t.deepEqual(
      later.map(({ text, startMs, endMs }) => [text, startMs, endMs]),
      [
        ['two', 3100, 3900],
        ['three', 5100, 5900],
      ],
    );
    t.deepEqual(
      log.hints.map((hint) => 'atMs' in hint && hint.atMs),
      [3000, 5900],
    );
  }
});

test('a message that comes twice, at once or later, is heard once', (t) => {
  const log = new RecordedEvents();
  const relay = new Relay(log);
  for (const message of [said(0, 'no'), said(0, 'no'), said(1, 'no'), said(2, 'yes'), said(2, 'yes'), said(1, 'no')]) {
    relay.take(message, 0, 1);
  }
  t.deepEqual(
    log.finals.map(({ text, startMs }) => [text, startMs]),
    [
      ['no', 100],
      ['no', 1100],
      ['yes', 2100],
    ],
  );
});
