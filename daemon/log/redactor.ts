const MASK = '***';

/** A shorter secret would be found within ordinary words, and masking it would cost the log its sense. */
const SHORTEST_SECRET = 8;

/** Headers and fields that hold nothing but a secret. */
const NAMES = [
  '(?:proxy-)?authorization',
  'x-integrator-signature',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-credential',
  'x-aws-ec2-metadata-token',
  'dg-token',
  '(?:set-)?cookie',
  'passw(?:or)?d',
  'api[-_]?key',
  'secretaccesskey',
  'sessiontoken',
].join('|');

/** Where a word begins in JSON: after `\n` too, which AWS puts between the headers of a request that it repeats. */
const START = String.raw`(?:\b|(?<=\\[bfnrt]))`;
/** Authorization has a scheme before its value. */
const VALUE = String.raw`(?:[A-Za-z][\w-]* (?=[^\s"]))?[^\s"'\\,;<>]+`;

/** The shapes that secrets come in, whoever quotes them; what is put in their place keeps JSON JSON. */
const SHAPES: readonly (readonly [shape: RegExp, mask: string | ((...match: string[]) => string)])[] = [
  // Only the host of a URL is known to hold no secret: a callback may carry one in user, path, query and fragment.
  [
    /\b(?!file:)([a-z][a-z0-9+.-]{1,20}:\/\/)([^\s"'\\/?#<>]*)((?:[^\s"'\\<>]|\\(?![nrt"'])(?:u[0-9a-f]{4}|.))*)/gi,
    url,
  ],
  // As a field of JSON, of JSON in a string, and as a header or a query has it.
  [new RegExp(String.raw`("(?:${NAMES})"\s*:\s*")(?:[^"\\]|\\.)+`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`(\\"(?:${NAMES})\\"\s*:\s*\\")[^"\\]+`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`${START}((?:${NAMES})'?\s*[:=]\s*'?)${VALUE}`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`${START}(Token|Bearer|Basic) [\w.~+/=-]{16,}`, 'g'), `$1 ${MASK}`],
  [new RegExp(String.raw`${START}(Credential|Signature)=[^\s"'\\,&]+`, 'g'), `$1=${MASK}`],
  [/v1=[0-9a-f]{64}/g, `v1=${MASK}`],
  [/(?:AKIA|ASIA)[A-Z0-9]{16}/g, MASK],
  [/(sips?:)[^\s"'\\@<>]+@/gi, `$1${MASK}@`],
  // E.164 and how people write it: a plus or its percent-encoding, then 7 to 15 digits.
  [/(?:\+|%2B)[1-9](?:[ ().-]{0,2}\d){6,14}(?!\d)/gi, MASK],
];

/**
 * Masks what no log may hold, in any text and in JSON, which stays JSON: the secrets that the process knows, by their
 * exact value, and whatever has the shape of one. All that is logged passes here as the last thing before it is written,
 * so it does not matter who quoted a secret: the SDK, `ws`, zod, or Deepgram.
 */
export class Redactor {
  readonly #secrets = new Set<string>();
  #known: RegExp | undefined;

  constructor(secrets: Iterable<string | undefined> = []) {
    this.learn(secrets);
  }

  /** Masks these too from now on. Of a secret shorter than 8 characters only the shape can be known. */
  learn(secrets: Iterable<string | undefined>): void {
    for (const secret of secrets) {
      if (secret !== undefined && secret.length >= SHORTEST_SECRET) this.#secrets.add(secret);
    }
    this.#known = anyOf(this.#secrets);
  }

  clean(text: string): string {
    let cleaned = this.#known ? text.replace(this.#known, maskUnlessEscaped) : text;
    for (const [shape, mask] of SHAPES) cleaned = cleaned.replace(shape, mask as string);
    return cleaned;
  }

  /** The same for a value that will be shown as JSON. */
  cleaned<Value>(value: Value): Value {
    return JSON.parse(this.clean(JSON.stringify(value))) as Value;
  }
}

/** Any of these words, in the forms that they are quoted in: as they are, in JSON, in a URL; undefined for none. */
export function anyOf(words: Iterable<string>, flags = 'g'): RegExp | undefined {
  const forms = [...words].flatMap((word) => [word, JSON.stringify(word).slice(1, -1), percentEncoded(word)]);
  // The longest first: of two that begin alike the shorter would leave the rest of the longer behind.
  const patterns = [...new Set(forms)].toSorted((a, b) => b.length - a.length).map((form) => RegExp.escape(form));
  return patterns.length > 0 ? new RegExp(patterns.join('|'), flags) : undefined;
}

function url(_all: string, scheme = '', authority = '', rest = ''): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  // A close reason ends after 123 bytes: cut off before the @, credentials look like a host with an odd port.
  const isHost = /^([\w.-]*|\[[\da-f:.]+\])(:\d*)?$/i.test(host);
  const masked = isHost ? `${host === authority ? '' : `${MASK}@`}${host}` : MASK;
  return `${scheme}${masked}${rest === '' || rest === '/' ? rest : `/${MASK}`}`;
}

/** The n of a line's end in JSON is not the first letter of a secret. */
function maskUnlessEscaped(match: string, ...[offset, text]: [number, string]): string {
  const backslashes = /\\*$/.exec(text.slice(0, offset))?.[0].length ?? 0;
  return backslashes % 2 === 0 ? MASK : match;
}

function percentEncoded(word: string): string {
  // A lone surrogate cannot be encoded, and so is in no URL.
  return encodeURIComponent(word.toWellFormed());
}
