import test from 'ava';
import fc from 'fast-check';
import { transcriptsOfCallback } from '../../../trigger/receiver/raw-callback.ts';

const STARTED_AT = '2026-01-01T00:00:00.000Z';

interface Post {
  readonly connection?: number;
  readonly offsetMs?: number;
  readonly startedAt?: string;
  readonly channel?: number;
  readonly isFinal?: boolean;
  /** Of each word. */
  readonly wordS?: number;
}

/** Deepgram's message with words that start at these seconds of their connection, and last 0.4 s if no other time is given. */
function results(words: readonly [string, number][], post: Post = {}) {
  const { connection = 1, offsetMs = 0, startedAt = STARTED_AT, channel = 0, isFinal = true, wordS = 0.4 } = post;
  const ours =
    connection === 1 ? {} : { dgintegrator_offset_ms: String(offsetMs), dgintegrator_connection: String(connection) };
  return {
    type: 'Results',
    is_final: isFinal,
    start: words[0]?.[1] ?? 0,
    duration: 1,
    channel_index: [channel, 2],
    channel: {
      alternatives: [
        {
          transcript: words.map(([word]) => word).join(' '),
          words: words.map(([word, start]) => ({
            word: word.toLowerCase(),
            punctuated_word: word,
            start,
            end: start + wordS,
          })),
        },
      ],
    },
    metadata: {
      request_id: `${startedAt} ${connection}`,
      extra: { dgintegrator_started_at: startedAt, mine: '1', ...ours },
    },
  };
}

const textsOf = (messages: readonly unknown[]) =>
  transcriptsOfCallback(messages).map(({ words }) => words.map(({ text }) => text).join(' '));

const CALL = [
  results([
    ['Good', 0.5],
    ['morning.', 1],
  ]),
  results([['Hello,', 0.2]], { channel: 1 }),
  results([
    ['My', 5],
    ['order', 5.5],
    ['is', 6],
  ]),
  // The second connection begins at 4 s of the call: it recognizes the last words again, a little later.
  results(
    [
      ['my', 1.1],
      ['Order', 1.45],
      ['is', 2.15],
      ['late.', 2.6],
    ],
    { connection: 2, offsetMs: 4000 },
  ),
  results(
    [
      ['I', 1],
      ['see.', 1.5],
    ],
    { connection: 2, offsetMs: 7000, channel: 1 },
  ),
];

test('times are those of the call, and words come once', (t) => {
  const [transcript] = transcriptsOfCallback(CALL);
  t.is(transcript?.startedAt, STARTED_AT);
  t.deepEqual(
    transcript?.words.map(({ text, startMs, channel }) => [text, startMs, channel]),
    [
      ['Hello,', 200, 1],
      ['Good', 500, 0],
      ['morning.', 1000, 0],
      ['My', 5000, 0],
      ['order', 5500, 0],
      ['is', 6000, 0],
      ['late.', 6600, 0],
      ['I', 8000, 1],
      ['see.', 8500, 1],
    ],
  );
});

test('repeated posts and any order make no difference', (t) => {
  const expected = transcriptsOfCallback(CALL);
  fc.assert(
    fc.property(fc.shuffledSubarray([...CALL, ...CALL], { minLength: 2 * CALL.length }), (shuffled) => {
      t.deepEqual(transcriptsOfCallback(shuffled), expected);
    }),
  );
  t.is(expected.length, 1);
});

test('a word recognized differently at the cut is not repeated', (t) => {
  const before = results([['nineteen', 5]]);
  const after = results(
    [
      ['ninety', 1],
      ['four', 1.5],
    ],
    { connection: 2, offsetMs: 4000 },
  );
  t.deepEqual(textsOf([before, after]), ['nineteen four']);
});

test('a word that is said twice stays', (t) => {
  t.deepEqual(
    textsOf([
      results([
        ['no', 1],
        ['no', 1.5],
        ['no', 2],
      ]),
    ]),
    ['no no no'],
  );
});

test('a word that is said again quickly stays, after a reconnect too', (t) => {
  const before = results(
    [
      ['no', 1],
      ['no', 1.24],
      ['no', 1.48],
      ['eight', 2],
      ['eight', 2.24],
    ],
    { wordS: 0.2 },
  );
  t.deepEqual(textsOf([before]), ['no no no eight eight']);
  const after = results(
    [
      ['no', 0.5],
      ['eight', 1.04],
      ['eight', 1.28],
      ['eight', 1.52],
      ['please', 1.76],
    ],
    { connection: 2, offsetMs: 1000, wordS: 0.2 },
  );
  t.deepEqual(textsOf([before, after]), ['no no no eight eight eight please']);
});

test('words that overlap within a connection stay', (t) => {
  const overlapping = results([
    ['all', 1],
    ['right', 1.1],
  ]);
  t.deepEqual(textsOf([overlapping]), ['all right']);
});

test('a final without words does not hide the one with the same start', (t) => {
  const real = results([['hello', 5]]);
  const empty = { ...results([]), start: 5, duration: 0 };
  t.deepEqual(textsOf([empty, real]), ['hello']);
  t.deepEqual(textsOf([real, empty, real]), ['hello']);
});

test('connections with the same number are told apart by their request ids', (t) => {
  const [one, other] = [
    results([['hello', 1]]),
    results([
      ['hello', 1.1],
      ['again', 2],
    ]),
  ];
  t.deepEqual(textsOf([one, { ...other, metadata: { ...other.metadata, request_id: 'another' } }]), ['hello again']);
});

test('speakers who talk at the same time do not take each other for repeats', (t) => {
  t.deepEqual(textsOf([results([['yes', 1]]), results([['yes', 1.1]], { channel: 1 })]), ['yes yes']);
});

test('interim results and other messages are left out', (t) => {
  const others = [{ type: 'Metadata' }, { type: 'UtteranceEnd' }, null, results([['interim', 0]], { isFinal: false })];
  t.deepEqual(transcriptsOfCallback(others), []);
});

test("a contact's sessions are apart, in order", (t) => {
  const later = results([['again', 0]], { startedAt: '2026-01-01T00:05:00.000Z' });
  t.deepEqual(textsOf([later, results([['first', 0]])]), ['first', 'again']);
});
