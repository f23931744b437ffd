/** Names of a load run's calls. All names derive from the call's number, so processes need not exchange them. */

export const REGION = 'us-east-1';
export const API_KEY = 'key-of-the-load-run';
/** Plays before the others, so that what the daemon loads on its first call counts as idle. */
export const WARM_UP_CALL = 99_999;
export const MAX_CALLS = WARM_UP_CALL;

const CALL_DIGITS = 12;
const STREAM = /:stream\/load-(\d{12})\/1700000000000$/;
const CONTACT = /^10ad10ad-0000-4000-8000-(\d{12})$/;
const TAG = /^load-(\d+)$/;
/** Fragment numbers look real: 47 digits, ending with the numbers of call and fragment. */
const NUMBER_BEGIN = '91343852333181432392682062607';
const NUMBER_CALL_DIGITS = 8;
const NUMBER_FRAGMENT_DIGITS = 10;
const MAX_NUMBER_LENGTH = NUMBER_BEGIN.length + NUMBER_CALL_DIGITS + NUMBER_FRAGMENT_DIGITS;

export function contactIdOf(call: number): string {
  return `10ad10ad-0000-4000-8000-${padded(call, CALL_DIGITS)}`;
}

/** The call of a contact; undefined if it is not ours. */
export function callOfContact(contactId: string): number | undefined {
  const [, digits] = CONTACT.exec(contactId) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Every call has its own stream. */
export function streamArnOf(call: number): string {
  return `arn:aws:kinesisvideo:${REGION}:123456789012:stream/load-${padded(call, CALL_DIGITS)}/1700000000000`;
}

/** The call of a stream; undefined if it is not ours. */
export function callOfStream(arn: string): number | undefined {
  const [, digits] = STREAM.exec(arn) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The Deepgram tag of a call's session. */
export function tagOf(call: number): string {
  return `load-${call}`;
}

/** The call that a connection's tags name, if any. */
export function callOfTags(tags: readonly string[]): number | undefined {
  for (const tag of tags) {
    const [, digits] = TAG.exec(tag) ?? [];
    if (digits !== undefined) return Number(digits);
  }
  return undefined;
}

/** Fragments count from 1. Number 0 is the StartFragmentNumber that Connect passes to the flow. */
export function fragmentNumberOf(call: number, fragment: number): string {
  return `${NUMBER_BEGIN}${padded(call, NUMBER_CALL_DIGITS)}${padded(fragment, NUMBER_FRAGMENT_DIGITS)}`;
}

/** The index of a fragment by its number; undefined if it is not of this call. */
export function fragmentOfNumber(call: number, number: string): number | undefined {
  const begin = `${NUMBER_BEGIN}${padded(call, NUMBER_CALL_DIGITS)}`;
  if (number.length !== MAX_NUMBER_LENGTH || !number.startsWith(begin)) return undefined;
  return Number(number.slice(begin.length));
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
