import { TagNames } from './tag-names.ts';

/** The tags that are read (daemon/kinesis/README.md, "Body"). */
export const TAG = {
  contactId: 'ContactId',
  fragmentNumber: 'AWS_KINESISVIDEO_FRAGMENT_NUMBER',
  continuationToken: 'AWS_KINESISVIDEO_CONTINUATION_TOKEN',
  producerTimestamp: 'AWS_KINESISVIDEO_PRODUCER_TIMESTAMP',
  millisBehindNow: 'AWS_KINESISVIDEO_MILLIS_BEHIND_NOW',
  errorCode: 'AWS_KINESISVIDEO_ERROR_CODE',
  errorId: 'AWS_KINESISVIDEO_ERROR_ID',
} as const;
export const TAG_NAMES = new TagNames(Object.values(TAG));

/** The API's patterns: Kinesis would reject any other value, which only corruption can produce. */
const FRAGMENT_NUMBER = /^\d{1,128}$/;
const TOKEN = /^[\w.-]{1,128}$/;

export function isFragmentNumber(value: string): boolean {
  return FRAGMENT_NUMBER.test(value);
}

export function isContinuationToken(value: string): boolean {
  return TOKEN.test(value);
}

/** Epoch milliseconds of a tag in epoch seconds; undefined when it is not a date. */
export function epochMs(seconds: string): number | undefined {
  const ms = new Date(Number(seconds) * 1000).getTime();
  return ms > 0 ? ms : undefined;
}

const CONTACT_ID_BYTES = Buffer.from(TAG.contactId);

/** A damaged name may have lost some of its bytes, or seem longer, and some may be others. */
const MAX_DAMAGED_BYTES = 2;

/** Whether a tag's name may be a damaged `ContactId`: none at all, or one that differs in at most two of its bytes. */
export function looksLikeContactId(bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if (length === 0) return true;
  let damaged = Math.abs(length - CONTACT_ID_BYTES.length);
  const common = Math.min(length, CONTACT_ID_BYTES.length);
  for (let i = 0; i < common && damaged <= MAX_DAMAGED_BYTES; i++) {
    if (bytes[from + i] !== CONTACT_ID_BYTES[i]) damaged++;
  }
  return damaged <= MAX_DAMAGED_BYTES || containsContactId(bytes, from, to);
}

/** Whether skipped bytes contain the name of the tag that says whose audio it is. */
export function containsContactId(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at <= to - CONTACT_ID_BYTES.length; at++) {
    let same = 0;
    while (same < CONTACT_ID_BYTES.length && bytes[at + same] === CONTACT_ID_BYTES[same]) same++;
    if (same === CONTACT_ID_BYTES.length) return true;
  }
  return false;
}
