import { wordPattern } from './word-pattern.ts';

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
  #pattern: RegExp | undefined;

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
    if (typeof value === 'string') return value.replace(this.#values.length > 0 ? this.#compiled() : /(?!)/, MASK);
    return Array.isArray(value) ? value.map((each) => this.#mask(each)) : value;
  }

  /** Compiled on first use: most sessions need no masking. */
  #compiled(): RegExp {
    if (!this.#pattern) {
      const values = this.#values.flatMap(partsOf).filter(({ length }) => length >= SHORTEST_VALUE);
      this.#pattern = wordPattern(values, { isJson: false }) ?? /(?!)/;
    }
    return this.#pattern;
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
