import type { Word } from '../contract/events.ts';
import type { Millis } from '../runtime/clock.ts';

/** Deepgram may place the same word this much earlier or later on another connection: twice 200 ms, and some more. */
export const SHIFT_MS: Millis = 450;
/** A midpoint this near to the cut does not decide alone: as many words are dropped as were delivered. */
const DOUBT_MS: Millis = 200;
/** Worth of a matching word, and cost of a heard word between matches that matches none; a ms of shift costs 1. */
const MATCH = 10_000;
const UNMATCHED = 2000;

/** What is known of one channel when a new connection repeats its last words. */
export interface Overlap {
  /** The last words that were delivered, and that the new connection has not repeated yet. */
  readonly delivered: readonly Word[];
  /** Up to here the channel was final when the connection began. */
  readonly finalMs: Millis;
  /** By how much the new connection places words later, as far as is known from words that matched. */
  readonly shiftMs: Millis | undefined;
}

/** Which of the heard words are repeated. */
export interface Alignment {
  /** The first so many words were delivered before. */
  readonly repeated: number;
  /** The beginning of the first word that was not dropped had been delivered; this is the rest of it. */
  readonly rest: Word | undefined;
  /** For the next words of this connection. */
  readonly overlap: Overlap;
}

interface Pair {
  readonly deliveredAt: number;
  readonly heardAt: number;
  readonly value: number;
  /** Heard words before it, of the time of the delivered ones, that match none if nothing matches before. */
  readonly skipped: number;
}

interface Match {
  readonly deliveredAt: number;
  readonly heardAt: number;
  readonly score: number;
  readonly before: Match | undefined;
}

/**
 * Compares the first words of a new connection with the last delivered ones (README.md, "Exactly once"). Words are
 * aligned by text, within the shift that Deepgram's times may have; where no text matches, midpoints decide.
 */
export function align(heard: readonly Word[], overlap: Overlap): Alignment {
  const { delivered, finalMs } = overlap;
  const last = bestMatch(heard, delivered);
  const shiftMs = last ? medianShift(last, heard, delivered) : overlap.shiftMs;
  const left = delivered.slice(last ? last.deliveredAt + 1 : 0);
  const from = last ? last.heardAt + 1 : 0;
  const cutMs = cutOf(left, finalMs, shiftMs, last !== undefined);
  const repeated = cutMs === undefined ? from : dropped(heard, { from, cutMs, left, isAligned: last !== undefined });
  const lastHeard = heard.at(-1);
  const reachedMs = lastHeard ? lastHeard.endMs - (shiftMs ?? 0) : -Infinity;
  return {
    repeated,
    rest: restOf(heard[repeated], left, cutMs),
    overlap: { delivered: left.filter((word) => middle(word) > reachedMs), finalMs, shiftMs },
  };
}

/** The middle of a word: it belongs to the side of a cut on which this is. */
export function middle({ startMs, endMs }: Pick<Word, 'startMs' | 'endMs'>): Millis {
  return (startMs + endMs) / 2;
}

/** Words before this moment are repeated; undefined if all after the last match are new. */
function cutOf(left: readonly Word[], finalMs: Millis, shiftMs: Millis | undefined, hasMatch: boolean) {
  const lastEndMs = left.at(-1)?.endMs;
  if (hasMatch) return lastEndMs === undefined ? undefined : lastEndMs + (shiftMs ?? 0);
  if (shiftMs !== undefined && lastEndMs !== undefined) return lastEndMs + shiftMs;
  // A word after the last delivered one can only seem to be before the end of what was final.
  return Math.max(lastEndMs ?? -Infinity, finalMs - SHIFT_MS);
}

interface Rest {
  readonly from: number;
  readonly cutMs: Millis;
  readonly left: readonly Word[];
  readonly isAligned: boolean;
}

/** How many words are before the cut. */
function dropped(heard: readonly Word[], { from, cutMs, left, isAligned }: Rest): number {
  let count = from;
  for (let word = heard[count]; word; word = heard[++count]) {
    const pastMs = middle(word) - cutMs;
    const inDoubt = isAligned && Math.abs(pastMs) < DOUBT_MS;
    if (inDoubt ? count - from >= left.length : pastMs >= 0) break;
  }
  return count;
}

/** The last of the matching pairs that are most, and cost least. */
function bestMatch(heard: readonly Word[], delivered: readonly Word[]): Match | undefined {
  const matches: Match[] = [];
  let best: Match | undefined;
  for (const pair of pairsOf(heard, delivered)) {
    const match = chained(pair, matches);
    matches.push(match);
    if (!best || match.score > best.score) best = match;
  }
  return best;
}

/** The pairs of equal words that may be the same, in the order of the delivered ones. */
function pairsOf(heard: readonly Word[], delivered: readonly Word[]): Pair[] {
  const firstMs = delivered[0]?.startMs ?? Infinity;
  const texts = heard.map(comparable);
  return delivered.flatMap((word, deliveredAt) => {
    const text = comparable(word);
    if (text === '') return [];
    return heard.flatMap((each, heardAt): Pair[] => {
      const shift = Math.abs(middle(each) - middle(word));
      if (texts[heardAt] !== text || shift > SHIFT_MS) return [];
      const skipped = heard.slice(0, heardAt).filter((earlier) => middle(earlier) >= firstMs).length;
      return [{ deliveredAt, heardAt, value: MATCH - shift, skipped }];
    });
  });
}

/** The pair after the earlier ones that make the most of it. */
function chained({ deliveredAt, heardAt, value, skipped }: Pair, matches: readonly Match[]): Match {
  let before: Match | undefined;
  let score = value - UNMATCHED * skipped;
  for (const earlier of matches) {
    if (earlier.deliveredAt >= deliveredAt || earlier.heardAt >= heardAt) continue;
    const sum = earlier.score + value - UNMATCHED * (heardAt - earlier.heardAt - 1);
    if (sum > score) [score, before] = [sum, earlier];
  }
  return { deliveredAt, heardAt, score, before };
}

function medianShift(last: Match, heard: readonly Word[], delivered: readonly Word[]): Millis {
  const shifts: Millis[] = [];
  for (let match: Match | undefined = last; match; match = match.before)
    shifts.push(middle(heard[match.heardAt] as Word) - middle(delivered[match.deliveredAt] as Word));
  return shifts.toSorted((a, b) => a - b)[Math.floor(shifts.length / 2)] as Millis;
}

/** A number may be heard whole that a cut had divided: what was delivered of it is taken away. */
function restOf(word: Word | undefined, left: readonly Word[], cutMs: Millis | undefined): Word | undefined {
  if (!word || cutMs === undefined || word.startMs > cutMs + DOUBT_MS) return undefined;
  for (let from = 0; from < left.length; from++) {
    const text = without(word.text, left.slice(from).map(comparable).join(''));
    if (text !== undefined) return { ...word, text, startMs: Math.min(Math.max(word.startMs, cutMs), word.endMs) };
  }
  return undefined;
}

/** `text` without its beginning, if that is a whole part of a number: 5 of 56, twenty of twenty-three. */
function without(text: string, beginning: string): string | undefined {
  let matched = 0;
  let at = 0;
  for (; at < text.length && matched < beginning.length; at++) {
    const char = comparable({ text: text.charAt(at) });
    if (char === '') continue;
    if (char !== beginning.charAt(matched)) return undefined;
    matched++;
  }
  if (matched === 0 || matched < beginning.length) return undefined;
  const rest = text.slice(at);
  const isDigits = /^\d+$/.test(beginning) && /^\d/.test(rest);
  if (!isDigits && !/^-[\p{L}\p{N}]/u.test(rest)) return undefined;
  return rest.replace(/^-/, '');
}

function comparable({ text }: Pick<Word, 'text'>): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}
