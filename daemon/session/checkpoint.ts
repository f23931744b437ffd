import { z } from 'zod';
import type { CallClock } from '../audio/aligner.ts';
import type { Millis } from '../clock.ts';
import type { Position } from '../kinesis/contact.ts';
import { newTraceId, type TraceId } from '../observe/trace.ts';
import { type StartRequest, startRequest } from './request.ts';
import type { Seal } from './seal.ts';

/** From where a session goes on after its daemon was killed: all of the call before it is safe at Deepgram. */
export interface Checkpoint {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly request: StartRequest;
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

const pair = z.tuple([z.number(), z.number()]);
const file = z.object({
  version: z.literal(1),
  sessionId: z.uuid(),
  // A daemon of before tracing wrote none.
  traceId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .default(newTraceId),
  request: z.string(),
  position: z.object({
    fragmentNumber: z.string(),
    continuationToken: z.string().optional(),
    producerEpochMs: z.number().optional(),
  }),
  callClock: z.object({ originMs: z.number(), driftFrames: pair, delayFrames: pair }).optional(),
  callMs: z.number().nonnegative(),
  connections: z.int().positive(),
  savedAtEpochMs: z.number(),
});

/** The text of a checkpoint's file; the request, whose parameters may hold secrets, is sealed in it. */
export function writeCheckpoint(checkpoint: Checkpoint, seal: Seal): string {
  return JSON.stringify({ version: 1, ...checkpoint, request: seal.close(JSON.stringify(checkpoint.request)) });
}

/** Reads what `writeCheckpoint` wrote. Throws when it is anything else, or was sealed with another secret. */
export function readCheckpoint(text: string, seal: Seal): Checkpoint {
  const { version: _, position, ...rest } = file.parse(JSON.parse(text));
  return {
    ...rest,
    callClock: rest.callClock,
    position: { continuationToken: undefined, producerEpochMs: undefined, ...position },
    request: startRequest.parse(JSON.parse(seal.open(rest.request))),
  };
}
