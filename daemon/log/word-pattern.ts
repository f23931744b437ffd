/** Where a text may break off inside a word and still match it. */
const SHORTEST_PREFIX = 8;
/** Beyond this many characters of a word, the rest of the string is masked with it. */
const LONGEST_PATH = 200;
const REST = String.raw`[^"\\]*`;
/** Numbers that people write in groups, such as a card or a phone number. */
const NUMBER = /^[+(]?\d[\d\s()./_+·–—-]{5,}\d$/;
const SEPARATORS = String.raw`(?:[\s().\/_+·–—-]|%(?:25)?(?:20|28|29|2B|2D|2E|2F)){0,3}`;
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

interface WordOptions {
  /** The text is JSON, which has quotes in words escaped: a match must not include one that ends a string. */
  readonly isJson: boolean;
}

interface Node {
  readonly next: Map<string, Node>;
  /** A match may end here. */
  mayEnd: boolean;
}

/**
 * Matches any of the words, in any case: as they are, JSON-escaped, percent-encoded, form-encoded, or encoded twice. A
 * word of which a text has only the first 8 characters or more matches as far as it goes; numbers match with any
 * separators between their digits. Undefined for no words.
 *
 * The words share their beginnings, as in a trie, so that of two words that begin alike the one that is there matches.
 */
export function wordPattern(words: Iterable<string>, { isJson }: WordOptions): RegExp | undefined {
  const all = [...new Set(words)].filter((word) => word !== '');
  if (all.length === 0) return undefined;
  const numbers = all.filter((word) => NUMBER.test(word)).map((word) => word.replace(/\D/g, ''));
  const patterns = [
    patternOf(trieOf(all), '', (char) => anyFormOf(char, isJson)),
    ...(numbers.length > 0 ? [String.raw`\+?(?<!\d)${patternOf(trieOf(numbers), SEPARATORS, (digit) => digit)}`] : []),
  ];
  return new RegExp(patterns.join('|'), 'gi');
}

/**
 * False if the pattern of these words cannot match a text; costs little. It compares only what all forms of a word have in
 * common, but for percent-encoded ones: letters and digits, in order.
 */
export function mayMatch(words: readonly string[], text: string): boolean {
  if (text.includes('%')) return true;
  const plain = plainOf(text);
  return words.some((word) => plain.includes(plainOf(beginningOf(word))));
}

/** ASCII letters and digits. */
function plainOf(text: string): string {
  return text.replace(/[^a-z0-9]/gi, '').toLowerCase();
}

/** What a text has at least of a word that it matches, up to what it may have as an escape with letters. */
function beginningOf(word: string): string {
  return Array.from(word)
    .slice(0, shortestOf(word))
    .join('')
    .replace(/[\p{Cc}\p{Cs}].*/su, '');
}

/** How much of a word a text must have to match, in characters. */
function shortestOf(word: string): number {
  // A scheme alone says nothing.
  return (SCHEME.exec(word)?.[0].length ?? 0) + SHORTEST_PREFIX;
}

function trieOf(words: Iterable<string>): Node {
  const root: Node = { next: new Map(), mayEnd: false };
  for (const word of words) insert(root, word);
  return root;
}

function insert(root: Node, word: string): void {
  const shortest = shortestOf(word);
  let node = root;
  let length = 0;
  for (const char of word) {
    const key = char.toLowerCase();
    let next = node.next.get(key);
    if (!next) {
      next = { next: new Map(), mayEnd: false };
      node.next.set(key, next);
    }
    node = next;
    length++;
    if (length >= shortest) node.mayEnd = true;
  }
  node.mayEnd = true;
}

/** @param joiner between two characters */
function patternOf(node: Node, joiner: string, form: (char: string) => string, depth = 0): string {
  if (node.next.size === 0) return '';
  if (depth === LONGEST_PATH) return REST;
  const join = depth === 0 ? '' : joiner;
  const branches = [...node.next].map(
    ([char, next]) => `${join}${form(char)}${patternOf(next, joiner, form, depth + 1)}`,
  );
  const any = branches.length === 1 && !node.mayEnd ? (branches[0] as string) : `(?:${branches.join('|')})`;
  return node.mayEnd ? `${any}?` : any;
}

/** A character, as is and in every encoding that a log line may contain. */
function anyFormOf(char: string, isJson: boolean): string {
  if (/^[a-z0-9]$/.test(char)) return char;
  const forms = new Set<string>();
  const escaped = JSON.stringify(char).slice(1, -1);
  for (const form of isJson ? [escaped] : [char, escaped]) forms.add(form);
  for (const variant of [char, char.toUpperCase()]) {
    // A lone surrogate cannot be percent-encoded, so no URL contains it.
    const bytes = [...Buffer.from(variant.toWellFormed())];
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
    forms.add(hex.map((digits) => `%${digits}`).join(''));
    forms.add(hex.map((digits) => `%25${digits}`).join(''));
  }
  // In a form a space is a plus, which is then encoded again.
  if (char === ' ') for (const plus of ['+', '%2B']) forms.add(plus);
  return `(?:${[...forms].map((form) => RegExp.escape(form)).join('|')})`;
}
