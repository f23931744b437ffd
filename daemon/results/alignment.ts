import type { Word } from '../contract/events.ts';
import type { Millis } from '../runtime/clock.ts';

/** Deepgram may place the same word this much earlier or later on another connection: twice 200 ms, and some more. */
export const SHIFT_MS: Millis = 450;
/** Score of a match, and cost of each unmatched unit between two matches; a ms of shift costs 1. */
const MATCH = 10_000;
const UNMATCHED = 2000;

/** What is known of one channel when a new connection repeats its last words. */
export interface Overlap {
  /** The end of what was delivered, as far as the new connection has not repeated it yet. */
  readonly delivered: readonly Unit[];
  /** The channel was final up to here when the connection began. */
  readonly finalMs: Millis;
  /** By how much the new connection places words later, as far as is known from words that matched. */
  readonly shiftMs: Millis | undefined;
}

/** Which of the recognized words are repeated. */
interface Alignment {
  /** This many words at the beginning were delivered before. */
  readonly repeated: number;
  /** The beginning of the first word that was not dropped had been delivered; this is the rest of it. */
  readonly rest: Word | undefined;
  /** For the next words of this connection. */
  readonly overlap: Overlap;
}

/** What two hearings have in common: a word, or a digit of a number, which may be written as one word or as several. */
interface Unit {
  readonly text: string;
  readonly middleMs: Millis;
  readonly startMs: Millis;
  readonly endMs: Millis;
  /** The word that it is of, and where in its text the unit begins. */
  readonly wordAt: number;
  readonly charAt: number;
}

/** A delivered unit and a received one that may be the same. */
interface Match {
  readonly deliveredAt: number;
  readonly receivedAt: number;
  readonly shiftMs: Millis;
  readonly score: number;
  readonly before: Match | undefined;
}

/**
 * What a connection repeats that begins at `fromMs`.
 * @param lastWords the last words that were delivered
 * @param finalMs up to here the channel is final
 */
export function overlapOf(lastWords: readonly Word[], finalMs: Millis, fromMs: Millis): Overlap {
  const delivered = lastWords.flatMap(unitsOf).filter(({ middleMs }) => middleMs >= fromMs - SHIFT_MS);
  return { delivered, finalMs, shiftMs: undefined };
}

/**
 * Compares the first words of a new connection with the last delivered ones (README.md, "Exactly once"). Words are
 * aligned by text, within the shift that Deepgram's times may have; where no text matches, midpoints decide.
 */
export function align(words: readonly Word[], overlap: Overlap): Alignment {
  const { delivered, finalMs } = overlap;
  const received = words.flatMap(unitsOf);
  const last = bestMatch(received, delivered);
  const shiftMs = last ? medianShift(last) : overlap.shiftMs;
  const left = delivered.slice(last ? last.deliveredAt + 1 : 0);
  const from = last ? last.receivedAt + 1 : 0;
  const cut = cutOf(left, { finalMs, shiftMs }, last !== undefined);
  const repeated = cut ? beforeCut(received, from, cut) : from;
  const reachedMs = (received.at(-1)?.endMs ?? -Infinity) - (shiftMs ?? 0);
  const stillToCome = left.filter(({ middleMs }) => middleMs > reachedMs);
  return { ...newFrom(received[repeated], words), overlap: { delivered: stillToCome, finalMs, shiftMs } };
}

/** The middle of a word: it belongs to the side of a cut on which this is. */
export function middle({ startMs, endMs }: Pick<Word, 'startMs' | 'endMs'>): Millis {
  return (startMs + endMs) / 2;
}

/** A number's digits share its time. */
function unitsOf(word: Word, wordAt: number): Unit[] {
  const parts = [...word.text.matchAll(isNumber(word.text) ? /\d/g : /[^-]+/g)];
  if (parts.length === 0) return [{ ...word, text: comparable(word.text), middleMs: middle(word), wordAt, charAt: 0 }];
  const unitMs = (word.endMs - word.startMs) / parts.length;
  return parts.map(({ 0: text, index }, nth) => {
    const startMs = word.startMs + nth * unitMs;
    const endMs = startMs + unitMs;
    const charAt = nth === 0 ? 0 : index;
    return { text: comparable(text), middleMs: (startMs + endMs) / 2, startMs, endMs, wordAt, charAt };
  });
}

function isNumber(text: string): boolean {
  return /^[^\p{L}]*\d[^\p{L}]*$/u.test(text);
}

/** The words from a unit on; `rest` if that is within a word. */
function newFrom(unit: Unit | undefined, words: readonly Word[]): Pick<Alignment, 'repeated' | 'rest'> {
  const word = unit && words[unit.wordAt];
  if (!word) return { repeated: words.length, rest: undefined };
  const { wordAt: repeated, charAt, startMs } = unit;
  return { repeated, rest: charAt === 0 ? undefined : { ...word, text: word.text.slice(charAt), startMs } };
}

/** Where repeated units end, if no text says so. */
interface Cut {
  readonly atMs: Millis;
  /** How many delivered units the connection has still to repeat; undefined if none of them is near. */
  readonly units: number | undefined;
}

/** Undefined if all units after the last match are new. */
function cutOf(left: readonly Unit[], { finalMs, shiftMs }: Omit<Overlap, 'delivered'>, hasMatch: boolean) {
  const endMs = left.at(-1)?.endMs;
  if (hasMatch && endMs === undefined) return undefined;
  const isNear = shiftMs !== undefined || (endMs ?? -Infinity) >= finalMs - 2 * SHIFT_MS;
  if (endMs !== undefined && isNear) return { atMs: endMs + (shiftMs ?? 0), units: left.length };
  // A word after the last delivered one can only seem to be before the end of what was final.
  return { atMs: finalMs - SHIFT_MS, units: undefined };
}

/**
 * How many units are before the cut, of those from `from` on. A midpoint near it does not decide alone: as many units
 * are repeated as were delivered.
 */
function beforeCut(received: readonly Unit[], from: number, { atMs, units }: Cut): number {
  let count = from;
  for (let unit = received[count]; unit; unit = received[++count]) {
    const pastMs = unit.middleMs - atMs;
    const inDoubt = units !== undefined && Math.abs(pastMs) < SHIFT_MS;
    if (inDoubt ? count - from >= units : pastMs >= 0) break;
  }
  return count;
}

/** The last match of the chain that has the most of them, at the most even shift. */
function bestMatch(received: readonly Unit[], delivered: readonly Unit[]): Match | undefined {
  const matches: Match[] = [];
  let best: Match | undefined;
  delivered.forEach(({ text, middleMs }, deliveredAt) => {
    if (text === '') return;
    received.forEach((unit, receivedAt) => {
      const shiftMs = unit.middleMs - middleMs;
      if (unit.text !== text || Math.abs(shiftMs) > SHIFT_MS) return;
      const alone = MATCH - Math.abs(shiftMs) - UNMATCHED * unevenBefore(received, receivedAt, delivered, deliveredAt);
      const match = chained({ deliveredAt, receivedAt, shiftMs, score: alone, before: undefined }, matches);
      matches.push(match);
      if (!best || match.score > best.score) best = match;
    });
  });
  return best;
}

/** By how many the units of the time that both have differ in number before a first match. */
function unevenBefore(
  received: readonly Unit[],
  receivedAt: number,
  delivered: readonly Unit[],
  deliveredAt: number,
): number {
  const receivedFromMs = received[0]?.startMs ?? 0;
  const deliveredFromMs = delivered[0]?.startMs ?? 0;
  const receivedBefore = received.slice(0, receivedAt).filter(({ middleMs }) => middleMs >= deliveredFromMs).length;
  const deliveredBefore = delivered.slice(0, deliveredAt).filter(({ middleMs }) => middleMs >= receivedFromMs).length;
  return Math.abs(receivedBefore - deliveredBefore);
}

/** The match, chained to the earlier one that gives it the best score. */
function chained(match: Match, matches: readonly Match[]): Match {
  let best = match;
  for (const before of matches) {
    if (before.deliveredAt >= match.deliveredAt || before.receivedAt >= match.receivedAt) continue;
    const uneven = Math.abs(match.receivedAt - before.receivedAt - (match.deliveredAt - before.deliveredAt));
    const score = before.score + MATCH - Math.abs(match.shiftMs - before.shiftMs) - UNMATCHED * uneven;
    if (score > best.score) best = { ...match, score, before };
  }
  return best;
}

function medianShift(last: Match): Millis {
  const shifts: Millis[] = [];
  for (let match: Match | undefined = last; match; match = match.before) shifts.push(match.shiftMs);
  return shifts.toSorted((a, b) => a - b)[Math.floor(shifts.length / 2)] as Millis;
}

function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}
