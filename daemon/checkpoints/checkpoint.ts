import { z } from 'zod';
import type { CallClock } from '../audio/aligner.ts';
import { type StartRequest, startRequest } from '../contract/start-request.ts';
import { newTraceId, type TraceId } from '../contract/traceparent.ts';
import type { Position } from '../kinesis/contact.ts';
import type { Millis } from '../runtime/clock.ts';
import type { CheckpointCipher } from './checkpoint-cipher.ts';

/** From where a session goes on after its daemon was killed: all of the call before it is safe at Deepgram. */
export interface ResumePoint {
  /** The fragment after which the rest of the call begins. */
  readonly position: Position | { readonly fragmentNumber: string };
  /** What turns the producer's times into the call's; undefined before the first audio. */
  readonly callClock: CallClock | undefined;
  /** Where in the call the rest begins. */
  readonly callMs: Millis;
  /** Connections to Deepgram that the session has had. */
  readonly connections: number;
  readonly savedAtEpochMs: Millis;
}

/** What never changes of a session. */
export interface SessionIdentity {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly request: StartRequest;
}

/** All that another daemon needs to go on with a session. */
export interface Checkpoint extends SessionIdentity, ResumePoint {}

const pair = z.tuple([z.number(), z.number()]);
/** A `ResumePoint` as it is read from a file. */
export const resumePoint = z.object({
  position: z
    .object({
      fragmentNumber: z.string(),
      continuationToken: z.string().optional(),
      producerEpochMs: z.number().optional(),
    })
    .transform((position) => ({ continuationToken: undefined, producerEpochMs: undefined, ...position })),
  callClock: z
    .object({ originMs: z.number(), driftFrames: pair, delayFrames: pair })
    .optional()
    .transform((callClock) => callClock),
  callMs: z.number().nonnegative(),
  connections: z.int().positive(),
  savedAtEpochMs: z.number(),
});
const file = z.object({
  version: z.literal(1),
  sessionId: z.uuid(),
  // A daemon of before tracing wrote none.
  traceId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .default(newTraceId),
  request: z.string(),
  ...resumePoint.shape,
});

/**
 * The text of a session's file, written once: where the session was then is worth something only until there is a
 * positions file. The request, whose parameters may hold secrets, is sealed.
 */
export function writeCheckpoint(checkpoint: Checkpoint, cipher: CheckpointCipher): string {
  return JSON.stringify({ version: 1, ...checkpoint, request: cipher.encrypt(JSON.stringify(checkpoint.request)) });
}

/** Reads what `writeCheckpoint` wrote. Throws when it is anything else, or was sealed with another secret. */
export function readCheckpoint(text: string, cipher: CheckpointCipher): Checkpoint {
  const { version: _, ...rest } = file.parse(JSON.parse(text));
  return { ...rest, request: startRequest.parse(JSON.parse(cipher.decrypt(rest.request))) };
}
