import { anyOf } from './redactor.ts';

const MASK = '***';
/** Shorter values (`true`, `en`, `2`) tell nothing of the caller, and are in every other word. */
const SHORTEST_VALUE = 4;

/**
 * Fields that hold ids and words of our own, which a value must not spoil by being equal to one, and what was said,
 * which at `debug` is logged as it is: a keyterm is a word that is expected to be said.
 */
const OURS: ReadonlySet<string> = new Set([
  'event',
  'sessionId',
  'contactId',
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

/** Masks a session's own values, the contact's attributes, where others may have quoted them in their words. */
export class AttributeMask {
  readonly #values: readonly string[];
  #pattern: RegExp | undefined;

  /** @param values what must not be repeated; a URL's parts count as values of their own */
  constructor(values: readonly string[]) {
    this.#values = values;
  }

  /** The fields of a line, with the values masked in all that is not our own. */
  masked(fields: object): object {
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, OURS.has(name) ? value : this.#mask(value)]),
    );
  }

  #mask(value: unknown): unknown {
    if (typeof value === 'string') return value.replace(this.#values.length > 0 ? this.#compiled() : /(?!)/, MASK);
    return Array.isArray(value) ? value.map((each) => this.#mask(each)) : value;
  }

  /** Made when it is first needed: most sessions end without a foreign word. */
  #compiled(): RegExp {
    if (!this.#pattern) {
      const values = this.#values.flatMap(partsOf).filter(({ length }) => length >= SHORTEST_VALUE);
      this.#pattern = anyOf(values, 'gi') ?? /(?!)/;
    }
    return this.#pattern;
  }
}

/** The value, and of a URL whatever in it may be a secret of its own. */
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
    // A stray % is no encoding: the text stands for itself.
    return text;
  }
}
