import test from 'ava';
import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import { missingPhrases, overlappingPhrases, type Spoken, unexpectedWords } from './check.ts';

const { phrases } = loadSampleCall();
/** Every word is required. */
const ALL = 1;
const HALF = 0.5;

/** The sample call as recognized, with one phrase replaced. */
function heardWith(index: number, text: string): Spoken[] {
  return phrases.with(index, { ...phrases[index], text } as (typeof phrases)[number]);
}

function missing(heard: readonly Spoken[], share: number): string[] {
  return missingPhrases(phrases, heard, share).map(({ text }) => text);
}

test('nothing is missing if every phrase was recognized', (t) => {
  t.deepEqual(missing(phrases, ALL), []);
});

test('everything is missing if nothing was recognized', (t) => {
  t.is(missing([], ALL).length, phrases.length);
  t.is(missing([], HALF).length, phrases.length);
});

for (const [index, { text }] of phrases.entries()) {
  test(`a phrase that was not recognized is missing, and no other: ${text}`, (t) => {
    t.deepEqual(missing(phrases.toSpliced(index, 1), ALL), [text]);
  });

  test(`one unrecognized word makes its phrase missing, and no other: ${text}`, (t) => {
    t.deepEqual(missing(heardWith(index, text.replace(/ ?\S+$/, '')), ALL), [text]);
  });
}

test('words of one speaker do not count for the other', (t) => {
  const swapped = phrases.map((phrase) => ({
    ...phrase,
    speaker: phrase.speaker === 'agent' ? ('customer' as const) : ('agent' as const),
  }));
  t.is(missing(swapped, ALL).length, phrases.length);
});

test('the order of the phrases counts', (t) => {
  const [first, ...rest] = phrases;
  t.deepEqual(missing([...rest, first as Spoken], ALL), [first?.text]);
});

test('case, punctuation and the split into results do not matter', (t) => {
  const words = phrases.flatMap(({ speaker, text }) =>
    text.split(' ').map((word) => ({
      speaker,
      text: word
        .toUpperCase()
        .replace(/[.,?!]/g, '')
        .replace("'", '’'),
    })),
  );
  t.deepEqual(missing(words, ALL), []);
});

test('with a share of one half, a phrase needs half of its words', (t) => {
  t.is(phrases[1]?.text, 'How can I help you today?');
  t.deepEqual(missing(heardWith(1, 'How could he help you'), HALF), []);
  t.deepEqual(missing(heardWith(1, 'How does she help him'), HALF), ['How can I help you today?']);
});

test('extra words do no harm', (t) => {
  const noisy = phrases.flatMap((phrase) => [{ speaker: phrase.speaker, text: 'uh well' }, phrase]);
  t.deepEqual(missing(noisy, ALL), []);
});

test('nothing is unexpected if every word was recognized once', (t) => {
  t.deepEqual(unexpectedWords(phrases, phrases), []);
  t.deepEqual(unexpectedWords(phrases, phrases.slice(3)), []);
});

for (const [index, { speaker, text }] of phrases.entries()) {
  test(`words that came twice are named: ${text}`, (t) => {
    const repeat = { speaker, text: text.split(' ').slice(-2).join(' ') };
    const words = unexpectedWords(phrases, phrases.toSpliced(index + 1, 0, repeat as (typeof phrases)[number]));
    t.is(words.flatMap(({ text: run }) => run.split(' ')).length, repeat.text.split(' ').length);
    t.true(words.every((run) => run.speaker === speaker));
  });
}

test('phrases of a speaker that overlap came twice', (t) => {
  t.deepEqual(overlappingPhrases(phrases), []);
  const [first, ...rest] = phrases;
  const again = { ...(first as (typeof phrases)[number]), startMs: (first?.endMs ?? 0) - 100 };
  t.deepEqual(overlappingPhrases([first as (typeof phrases)[number], again, ...rest]), [again]);
});
