import { z } from 'zod';
import { type PackedClock, packed, unpacked } from '../audio/packed-clock.ts';
import { SAMPLES_PER_MS } from '../contract/audio-format.ts';
import { type StartRequest, storedStartRequest } from '../contract/start-request.ts';
import { newTraceId, type TraceId } from '../contract/traceparent.ts';
import type { ReadingStart } from '../kinesis/contact.ts';
import type { Millis } from '../runtime/clock.ts';
import type { CheckpointCipher } from './checkpoint-cipher.ts';

/** Where a session can resume without loss: all of the call before it is safe at Deepgram. */
export interface ResumePoint {
  /** The rest of the call comes after this fragment. */
  readonly position: ReadingStart;
  /** Maps producer times to call times; undefined before the first audio. */
  readonly callClock: PackedClock | undefined;
  /** Position in the call from which audio is sent. */
  readonly callMs: Millis;
  /** Audio of the call that is missing before it; undefined in what earlier versions saved. */
  readonly gapMs?: Millis | undefined;
  /** Gaps after it that were reported: a process that resumes finds them again. Missing if there are none. */
  readonly toldGaps?: readonly ToldGap[] | undefined;
  /** What was reported missing before the call's first audio; only where a process that resumes finds it again. */
  readonly missedAtStartMs?: Millis | undefined;
  /** Number of connections to Deepgram so far. */
  readonly connections: number;
  readonly savedAtEpochMs: Millis;
}

/** A gap that was reported, in ms of the call. */
export interface ToldGap {
  readonly startMs: Millis;
  readonly endMs: Millis;
  readonly missingMs: Millis;
  /** False if the flow did not stream: then nothing is missing. */
  readonly isStreamed: boolean;
}

/** The parts of a session that never change. */
export interface SessionIdentity {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly request: StartRequest;
  /** Wall time of call time 0. */
  readonly timeZeroEpochMs: Millis;
}

/** All that another daemon needs to resume a session. */
export interface Checkpoint extends SessionIdentity, ResumePoint {}

/** Fractions of a frame have no place in a buffer. */
const frames = z.number().transform((value) => Math.round(value));
const pair = z.tuple([frames, frames]);
const track = z.object({
  endFrame: z.int().nonnegative().optional(),
  levelMs: z.number(),
  centerMs: z.number(),
  jitterMs: z.number().nonnegative(),
  blocks: z.int().nonnegative(),
  exactBlocks: z.int(),
  jitterBlocks: z.int().nonnegative().optional(),
  levelBlocks: z.int().nonnegative(),
  runBlocks: z.int().nonnegative(),
  hadGap: z.boolean(),
  driftMsPerHour: z.number().optional(),
  otherCenterMs: z.number(),
  usualFrames: z.int().nonnegative(),
  lastFrames: z.int().nonnegative(),
  lastBlocks: z.array(z.tuple([z.int(), z.int()])),
});
const clock = z.object({
  originMs: z.number(),
  driftFrames: pair,
  delayFrames: pair,
  // What another version wrote, or did not write, is done without: the rest is good enough to resume to the ms.
  placed: z
    .object({ tracks: z.tuple([track, track]), takenFrames: z.int().nonnegative() })
    .optional()
    .catch(undefined),
});
/** As plain numbers; earlier versions wrote it as an object. */
const callClock = z
  .array(z.number().nullable())
  .transform((numbers): unknown => unpacked(numbers.map((number) => number ?? Number.NaN)))
  .or(z.unknown())
  .pipe(clock)
  .transform((known) => packed(known));
const wholeFramesMs = z
  .number()
  .nonnegative()
  .transform((ms) => Math.round(ms * SAMPLES_PER_MS) / SAMPLES_PER_MS);
/** No fragment of the call had been received. */
const callStart = z.object({
  isCallStart: z.literal(true),
  fragmentNumber: z.string(),
  atEpochMs: z
    .number()
    .optional()
    .transform((atEpochMs) => atEpochMs),
});
const position = z
  .object({
    fragmentNumber: z.string(),
    continuationToken: z.string().optional(),
    producerEpochMs: z.number().optional(),
    segmentUid: z.string().optional(),
  })
  .transform((known) => ({
    continuationToken: undefined,
    producerEpochMs: undefined,
    segmentUid: undefined,
    ...known,
  }));
const toldGap = z.object({
  startMs: z.number(),
  endMs: z.number(),
  missingMs: z.number().nonnegative(),
  isStreamed: z.boolean(),
});
/** Parses a `ResumePoint` from a file. */
export const resumePoint = z.object({
  position: z.union([callStart, position]),
  callClock: callClock.optional().transform((known) => known),
  callMs: wholeFramesMs,
  gapMs: z.number().nonnegative().optional(),
  // What another version wrote is done without: such gaps are reported twice.
  toldGaps: z.array(toldGap).optional().catch(undefined),
  missedAtStartMs: z.number().nonnegative().optional().catch(undefined),
  connections: z.int().positive(),
  savedAtEpochMs: z.number(),
});
/** The last time that a Date can hold. */
const MAX_EPOCH_MS: Millis = 8.64e15;
const file = z.object({
  version: z.literal(1),
  sessionId: z.uuid(),
  // Daemons without tracing wrote none.
  traceId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .default(newTraceId),
  request: z.string(),
  timeZeroEpochMs: z.number().nonnegative().max(MAX_EPOCH_MS).optional(),
  ...resumePoint.shape,
});

/**
 * The text of a session's file, written once; its resume point counts only until there is a positions file. The request
 * is encrypted, because its parameters may contain secrets.
 */
export function writeCheckpoint(checkpoint: Checkpoint, cipher: CheckpointCipher): string {
  return JSON.stringify({ version: 1, ...checkpoint, request: cipher.encrypt(JSON.stringify(checkpoint.request)) });
}

/** Parses the text of `writeCheckpoint`. Throws if it is anything else, or encrypted with another secret. */
export function readCheckpoint(text: string, cipher: CheckpointCipher): Checkpoint {
  const { version: _, ...rest } = file.parse(JSON.parse(text));
  const { callClock, savedAtEpochMs, callMs } = rest;
  // Older daemons wrote no time 0.
  const { timeZeroEpochMs = callClock ? unpacked(callClock).originMs : savedAtEpochMs - callMs } = rest;
  const request = storedStartRequest.parse(JSON.parse(cipher.decrypt(rest.request)));
  return { ...rest, timeZeroEpochMs, request };
}
