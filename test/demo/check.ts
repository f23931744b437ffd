import type { Speaker } from '../fixtures/sample-call/script.ts';

/** A phrase and its speaker. */
export interface Spoken {
  readonly speaker: Speaker;
  readonly text: string;
}

const SPEAKERS = ['customer', 'agent'] as const satisfies readonly Speaker[];

/** Bonus for a match right after another match: too small to outweigh a word, large enough that a lost phrase does not
 *  borrow words from another one. */
const RUN_BONUS = 1 / 1024;

/**
 * The phrases of which less than `share` (0 to 1) of the words were recognized for their speaker, in order. The split
 * of words into results does not matter; `heard` must be in time order.
 */
export function missingPhrases<Phrase extends Spoken>(
  expected: readonly Phrase[],
  heard: readonly Spoken[],
  share: number,
): Phrase[] {
  const arrived = new Set(
    SPEAKERS.flatMap((speaker) => {
      const phrases = expected.filter((phrase) => phrase.speaker === speaker);
      return arrivedOf(phrases, wordsFor(speaker, heard), share);
    }),
  );
  return expected.filter((phrase) => !arrived.has(phrase));
}

/** Runs of words that were heard for a speaker, but are not in what was expected: words that came twice, or wrong. */
export function unexpectedWords(expected: readonly Spoken[], heard: readonly Spoken[]): Spoken[] {
  return SPEAKERS.flatMap((speaker) => {
    const said = wordsFor(speaker, heard);
    const { saidFound } = wordsFound(wordsFor(speaker, expected), said);
    return runsWhere(said, (index) => !saidFound[index]).map((text) => ({ speaker, text }));
  });
}

/** Phrases that begin before the same speaker's last one has ended: words that came twice. */
export function overlappingPhrases<Phrase extends Spoken & { readonly startMs: number; readonly endMs: number }>(
  heard: readonly Phrase[],
): Phrase[] {
  return SPEAKERS.flatMap((speaker) => {
    const phrases = heard.filter((phrase) => phrase.speaker === speaker);
    return phrases.filter(({ startMs }, index) => startMs < (phrases[index - 1]?.endMs ?? 0));
  });
}

function wordsFor(speaker: Speaker, phrases: readonly Spoken[]): string[] {
  return phrases.filter((phrase) => phrase.speaker === speaker).flatMap(({ text }) => wordsOf(text));
}

/** Neighboring words that `belongs`, joined. */
function runsWhere(words: readonly string[], belongs: (index: number) => boolean): string[] {
  const runs: string[][] = [];
  for (const [index, word] of words.entries()) {
    if (!belongs(index)) continue;
    if (index > 0 && belongs(index - 1)) runs.at(-1)?.push(word);
    else runs.push([word]);
  }
  return runs.map((run) => run.join(' '));
}

function arrivedOf<Phrase extends Spoken>(phrases: readonly Phrase[], said: readonly string[], share: number) {
  const { expectedFound } = wordsFound(
    phrases.flatMap(({ text }) => wordsOf(text)),
    said,
  );
  let end = 0;
  return phrases.filter(({ text }) => {
    const start = end;
    end += wordsOf(text).length;
    return expectedFound.slice(start, end).filter(Boolean).length >= share * (end - start);
  });
}

/** Lower case and without punctuation. */
function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{N}']+/gu) ?? []
  );
}

/** Scores of matching the first `i` expected words with the first `j` said words, at `i * columns + j`. */
interface Scores {
  readonly columns: number;
  /** The best score of these words. */
  readonly best: Float64Array;
  /** The best score when the last two of them are matched with each other. */
  readonly matched: Float64Array;
}

/** Whether each word is one of a pair. */
interface Found {
  readonly expectedFound: readonly boolean[];
  readonly saidFound: readonly boolean[];
}

/** Pairs expected words with said ones: as many as possible, in order, in runs where possible. */
function wordsFound(expected: readonly string[], said: readonly string[]): Found {
  return traced(scoresOf(expected, said), expected.length, said.length);
}

function scoresOf(expected: readonly string[], said: readonly string[]): Scores {
  const columns = said.length + 1;
  const cells = (expected.length + 1) * columns;
  const best = new Float64Array(cells);
  const matched = new Float64Array(cells).fill(-Infinity);
  for (let i = 1; i <= expected.length; i += 1) {
    for (let j = 1; j <= said.length; j += 1) {
      const at = i * columns + j;
      const before = at - columns - 1;
      if (expected[i - 1] === said[j - 1]) {
        matched[at] = 1 + Math.max(best[before] ?? 0, (matched[before] ?? 0) + RUN_BONUS);
      }
      best[at] = Math.max(best[at - columns] ?? 0, best[at - 1] ?? 0, matched[at] ?? 0);
    }
  }
  return { columns, best, matched };
}

/** Follows the best scores back from the last words to the first. */
function traced({ columns, best, matched }: Scores, expectedWords: number, saidWords: number): Found {
  const expectedFound = new Array<boolean>(expectedWords).fill(false);
  const saidFound = new Array<boolean>(saidWords).fill(false);
  let isInRun = false;
  for (let i = expectedWords, j = saidWords; i > 0 && j > 0; ) {
    const at = i * columns + j;
    const before = at - columns - 1;
    if (isInRun || matched[at] === best[at]) {
      expectedFound[i - 1] = true;
      saidFound[j - 1] = true;
      isInRun = (matched[before] ?? 0) + RUN_BONUS > (best[before] ?? 0);
      i -= 1;
      j -= 1;
    } else if (best[at - columns] === best[at]) i -= 1;
    else j -= 1;
  }
  return { expectedFound, saidFound };
}
