import { z } from 'zod';
import { contactFacts } from '../../contract/start-request.ts';
import { type Batch, SINK_NAMES, type SinkName } from '../sink.ts';

/** A batch that was given up, for this sink. */
export interface DeadLetter {
  readonly sink: SinkName;
  readonly batch: Batch;
}

/** What was sealed is no letter, or one of a version that writes others. */
export class UnknownLetter extends Error {
  override readonly name = 'UnknownLetter';
}

/** What another version adds is kept for the sink. */
const stored = z.object({
  version: z.literal(1),
  sink: z.enum(SINK_NAMES),
  id: z.string(),
  epoch: z.int().positive(),
  session: z.looseObject({
    sessionId: z.string(),
    contactId: z.string(),
    contact: contactFacts.optional().transform((contact) => contact),
    webhook: z
      .string()
      .optional()
      .transform((webhook) => webhook),
    stream: z.enum(['all', 'session-events', 'none']),
  }),
  events: z
    .array(
      z.object({
        sequence: z
          .int()
          .positive()
          .optional()
          .transform((sequence) => sequence),
        type: z.string(),
        /** The event's JSON as text: it must stay the same to the byte. */
        json: z.string(),
      }),
    )
    .min(1),
});

export function writeLetter({ sink, batch }: DeadLetter): Buffer {
  const { session, epoch, id, events } = batch;
  const texts = events.map(({ sequence, type, json }) => ({ sequence, type, json: json.toString() }));
  return Buffer.from(JSON.stringify({ version: 1, sink, id, epoch, session, events: texts }));
}

/** Throws UnknownLetter if it is anything else. */
export function readLetter(bytes: Buffer): DeadLetter {
  const { sink, id, epoch, session, events } = storedIn(bytes);
  const batched = events.map(({ json, ...event }) => ({ ...event, json: Buffer.from(json) }));
  const { contact, webhook } = session;
  return { sink, batch: { session: { ...session, contact, webhook }, epoch, id, events: batched } };
}

function storedIn(bytes: Buffer): z.infer<typeof stored> {
  try {
    return stored.parse(JSON.parse(bytes.toString()));
  } catch {
    // Without the cause: its message may quote the letter.
    throw new UnknownLetter('no dead letter that this version knows: did a newer one write it?');
  }
}
