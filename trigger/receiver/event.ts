import { z } from 'zod';
import { SPEAKERS } from '../../daemon/contract/events.ts';

/**
 * Events as a consumer should read them (daemon/contract/events.ts has what integratord sends): their numbers first, so
 * that an event counts as arrived whatever it says; then no more of their content than the transcript needs, with any
 * text where later versions may have other values.
 */
const arrived = z.object({
  sessionId: z.string(),
  epoch: z.int().positive(),
  sequence: z.int().positive(),
  id: z.string(),
});
type Arrived = z.infer<typeof arrived>;

const callMs = z.number().nonnegative();
const speaker = z.enum(SPEAKERS);
const content = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session.started'), startedAt: z.string() }),
  z.object({
    type: z.literal('session.resumed'),
    startedAt: z.string(),
    from: z.object({ CUSTOMER: callMs, AGENT: callMs }),
  }),
  z.object({
    type: z.literal('transcript'),
    speaker,
    startMs: callMs,
    endMs: callMs,
    text: z.string(),
    confidence: z.number(),
  }),
  z.object({
    type: z.literal('gap'),
    startMs: callMs,
    endMs: callMs,
    cause: z.string(),
    channels: z.array(speaker),
    sequences: z.array(z.int().positive()).optional(),
  }),
  z.object({ type: z.literal('session.ended'), outcome: z.string(), reason: z.string() }),
]);
type Content = z.infer<typeof content>;

/** An event with a number. `unknown`: it has arrived, and this receiver does not know what it says. */
export type ReceivedEvent = Arrived & (Content | { readonly type: 'unknown' });

/** Undefined for a hint, which has no number and is not needed. */
export function receivedEvent(json: unknown): ReceivedEvent | undefined {
  const { data: numbers } = arrived.safeParse(json);
  return numbers && { ...numbers, ...(content.safeParse(json).data ?? { type: 'unknown' }) };
}
