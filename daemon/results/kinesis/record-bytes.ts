import type { NumberedEvent } from '../../contract/events.ts';
import { type ConnectInstance, segmentStreamRecord } from './contact-lens.ts';

/**
 * A stream's limit unless its owner has raised it (Kinesis Data Streams Developer Guide, "Quotas and limits"). It
 * includes the partition key.
 */
export const MAX_RECORD_BYTES = 1024 * 1024;

/** Left out of a record that is too large, in this order: Deepgram's own message first, because `words` repeats it. */
const OPTIONAL_FIELDS = ['deepgram', 'words'] as const;

/**
 * An event's record as UTF-8. Where it would be too large, fields of our event are left out and named in its
 * `omitted`. Undefined if even that is too large.
 */
export function recordBytes(
  event: NumberedEvent,
  instance: ConnectInstance,
  language: string | undefined,
  maxBytes = MAX_RECORD_BYTES,
): Buffer | undefined {
  const record = segmentStreamRecord(event, instance, language);
  const maxDataBytes = maxBytes - Buffer.byteLength(event.contactId);
  let reduced: object = event;
  const omitted: string[] = [];
  for (const field of [undefined, ...OPTIONAL_FIELDS]) {
    if (field !== undefined) {
      omitted.push(field);
      reduced = { ...reduced, [field]: undefined, omitted };
    }
    const data = Buffer.from(JSON.stringify({ ...record, Integratord: reduced }));
    if (data.length <= maxDataBytes) return data;
  }
  return undefined;
}
