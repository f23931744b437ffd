import { wordPattern } from './word-pattern.ts';

const MASK = '***';

/** A shorter secret would also match parts of ordinary words. */
const SHORTEST_SECRET = 8;

/** Headers and fields whose value is a secret. */
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

/** Start of a word in JSON, also after an escaped `\n`: AWS repeats the headers of a request with line breaks. */
const START = String.raw`(?:\b|(?<=\\[bfnrt]))`;
/** A value, with the scheme that Authorization puts before it. */
const VALUE = String.raw`(?:[A-Za-z][\w-]* (?=[^\s"]))?[^\s"'\\,;<>]+`;

/** Between the digits of a phone or card number; a space also as URLs and forms have it, a tab as JSON has it. */
const SEPARATOR = String.raw`(?:[ ().\/_+·–—\u00a0-]|%(?:25)?(?:20|2D|2E|2F)|\\t)`;

/** What secrets look like. Every replacement keeps valid JSON valid. */
const SHAPES: readonly (readonly [shape: RegExp, mask: string | ((...match: string[]) => string)])[] = [
  // Only scheme and host of a URL are safe: a callback may have secrets in user, path, query and fragment.
  [
    /\b(?!file:)([a-z][a-z0-9+.-]{1,20}:\/\/)([^\s"'\\/?#<>]*)((?:[^\s"'\\<>]|\\(?![nrt"'])(?:u[0-9a-f]{4}|.))*)/gi,
    url,
  ],
  // As a JSON field, as a field of JSON in a string, and as in a header or a query.
  [new RegExp(String.raw`("(?:${NAMES})"\s*:\s*")(?:[^"\\]|\\.)+`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`(\\"(?:${NAMES})\\"\s*:\s*\\")[^"\\]+`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`${START}((?:${NAMES})'?\s*[:=]\s*'?)${VALUE}`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`${START}(Token|Bearer|Basic) [\w.~+/=-]{16,}`, 'g'), `$1 ${MASK}`],
  [new RegExp(String.raw`${START}(Credential|Signature)=[^\s"'\\,&]+`, 'g'), `$1=${MASK}`],
  [/v1=[0-9a-f]{64}/g, `v1=${MASK}`],
  [/(?:AKIA|ASIA)[A-Z0-9]{16}/g, MASK],
  [/(sips?:)[^\s"'\\@<>]+@/gi, `$1${MASK}@`],
  // E.164 and how people write it: a plus, maybe percent-encoded, then 7 to 15 digits.
  [new RegExp(String.raw`(?:\+|%(?:25)?2B)[1-9](?:${SEPARATOR}{0,2}\d){6,14}(?!\d)`, 'gi'), MASK],
  // A payment card, in groups or not: its check digit tells it from other numbers.
  [new RegExp(String.raw`(?<![\w.:+-])[2-6](?:${SEPARATOR}?\d){12,18}(?![\w.-])`, 'gi'), card],
];

/**
 * Masks secrets in text and in JSON, which stays valid: known secrets by their value, others by their shape. Every log
 * line passes through here just before it is written, so it does not matter who quoted a secret: the SDK, `ws`, zod or
 * Deepgram.
 */
export class Redactor {
  readonly #secrets = new Set<string>();
  #known: RegExp | undefined;

  constructor(secrets: Iterable<string | undefined> = []) {
    this.learn(secrets);
  }

  /** Masks these values from now on. Values shorter than 8 characters are only masked by shape. */
  learn(secrets: Iterable<string | undefined>): void {
    for (const secret of secrets) {
      if (secret !== undefined && secret.length >= SHORTEST_SECRET) this.#secrets.add(secret);
    }
    this.#known = wordPattern(this.#secrets, { isJson: true });
  }

  clean(text: string): string {
    let cleaned = this.#known ? text.replace(this.#known, maskUnlessEscaped) : text;
    for (const [shape, mask] of SHAPES) cleaned = cleaned.replace(shape, mask as string);
    return cleaned;
  }

  /** The same for a value that is shown as JSON. */
  cleaned<Value>(value: Value): Value {
    return JSON.parse(this.clean(JSON.stringify(value))) as Value;
  }
}

function url(_all: string, scheme = '', authority = '', rest = ''): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  // A close reason is cut off after 123 bytes: credentials without their @ look like a host with an odd port.
  const isHost = /^([\w.-]*|\[[\da-f:.]+\])(:\d*)?$/i.test(host);
  const masked = isHost ? `${host === authority ? '' : `${MASK}@`}${host}` : MASK;
  return `${scheme}${masked}${rest === '' || rest === '/' ? rest : `/${MASK}`}`;
}

/** Masks a number with a right check digit (ISO/IEC 7812-1, Luhn's). A JSON number stays, since it cannot be masked. */
function card(match: string, ...[at, all]: string[]): string {
  const [offset, text] = [Number(at), String(all)];
  const digits = match.replace(/%(?:25)?[0-9a-f]{2}/gi, '').replace(/\D/g, '');
  if (digits.length < 13 || digits.length > 19 || isJsonNumber(match, offset, text)) return match;
  let sum = 0;
  for (let place = digits.length - 1, isDoubled = false; place >= 0; place--, isDoubled = !isDoubled) {
    const digit = Number(digits[place]) * (isDoubled ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0 ? MASK : match;
}

function isJsonNumber(match: string, offset: number, text: string): boolean {
  return (
    /^\d+$/.test(match) && /[[,:]$/.test(text.slice(0, offset)) && /^[\],}]/.test(text.slice(offset + match.length))
  );
}

/** The `n` of an escaped line break is not the first letter of a secret. */
function maskUnlessEscaped(match: string, ...[offset, text]: [number, string]): string {
  const backslashes = /\\*$/.exec(text.slice(0, offset))?.[0].length ?? 0;
  return backslashes % 2 === 0 ? MASK : match;
}
