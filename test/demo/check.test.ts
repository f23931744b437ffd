import test from 'ava';
import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import { missingPhrases, type Spoken } from './check.ts';

const { phrases } = loadSampleCall();
/** Every word has to be there. */
const ALL = 1;
const HALF = 0.5;

/** The sample call as heard, with one phrase replaced by other words. */
function heardWith(index: number, text: string): Spoken[] {
  return phrases.with(index, { ...phrases[index], text } as (typeof phrases)[number]);
}

function missing(heard: readonly Spoken[], share: number): string[] {
  return missingPhrases(phrases, heard, share).map(({ text }) => text);
}

test('nothing is missing when every phrase was heard', (t) => {
  t.deepEqual(missing(phrases, ALL), []);
});

test('everything is missing when nothing was heard', (t) => {
  t.is(missing([], ALL).length, phrases.length);
  t.is(missing([], HALF).length, phrases.length);
});

for (const [index, { text }] of phrases.entries()) {
  test(`a phrase that was not heard is missing, and no other: ${text}`, (t) => {
    t.deepEqual(missing(phrases.toSpliced(index, 1), ALL), [text]);
  });

  test(`one word that was not heard makes its phrase missing, and no other: ${text}`, (t) => {
    t.deepEqual(missing(heardWith(index, text.replace(/ ?\S+$/, '')), ALL), [text]);
  });
}

test('what one speaker said does not count for the other', (t) => {
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

test('case, punctuation and how the words are cut into results do not count', (t) => {
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

test('where half of the words will do, a phrase is there with half and missing with fewer', (t) => {
  t.is(phrases[1]?.text, 'How can I help you today?');
  t.deepEqual(missing(heardWith(1, 'How could he help you'), HALF), []);
  t.deepEqual(missing(heardWith(1, 'How does she help him'), HALF), ['How can I help you today?']);
});

test('words that nobody said do no harm', (t) => {
  const noisy = phrases.flatMap((phrase) => [{ speaker: phrase.speaker, text: 'uh well' }, phrase]);
  t.deepEqual(missing(noisy, ALL), []);
});
