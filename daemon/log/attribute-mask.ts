import { mayMatch, wordPattern } from './word-pattern.ts';

const MASK = '***';
/** Shorter values (`true`, `en`, `2`) reveal nothing about the caller and occur in many words. */
const SHORTEST_VALUE = 4;

/**
 * Fields that are not masked: our own ids and keywords, which may equal a value by chance, and transcripts, which are
 * logged at `debug` and are expected to contain keyterms.
 */
const OURS: ReadonlySet<string> = new Set([
  'event',
  'sessionId',
  'contactId',
  'initialContactId',
  'previousContactId',
  'traceId',
  'outcome',
  'reason',
  'how',
  'why',
  'requestId',
  'kinesisRequestId',
  'deepgramRequestId',
  'deepgramRequestIds',
  'params',
  'transcript',
]);

/** Masks the values of a session's parameters, where AWS or Deepgram may have quoted them. */
export class AttributeMask {
  readonly #values: readonly string[];
  #words: readonly string[] | undefined;

  /** @param values of a URL, the parts are masked too */
  constructor(values: readonly string[]) {
    this.#values = values;
  }

  /** Masks the values in a line's fields. */
  masked(fields: object): object {
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, OURS.has(name) ? value : this.#mask(value)]),
    );
  }

  #mask(value: unknown): unknown {
    if (typeof value === 'string') return this.#maskText(value);
    return Array.isArray(value) ? value.map((each) => this.#mask(each)) : value;
  }

  /** The pattern is made for the rare text that may need it: compiled, it takes 70 KB, and there are thousands of calls. */
  #maskText(text: string): string {
    this.#words ??= this.#values.flatMap(partsOf).filter(({ length }) => length >= SHORTEST_VALUE);
    const pattern = mayMatch(this.#words, text) ? wordPattern(this.#words, { isJson: false }) : undefined;
    return pattern ? text.replace(pattern, MASK) : text;
  }
}

/** The value and, for a URL, every part that may be a secret. */
function partsOf(value: string): string[] {
  const url = URL.parse(value);
  if (!url?.host) return [value];
  const parts = [url.username, url.password, ...url.pathname.split('/'), ...url.searchParams.values()];
  return [value, url.href, ...parts, ...parts.map(decoded)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % is not an encoding.
    return text;
  }
}
