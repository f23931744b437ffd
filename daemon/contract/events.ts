import { z } from 'zod';
import { TRANSCRIPT_GAP_CAUSES } from './gap-causes.ts';
import { contactFacts } from './start-request.ts';

/** The speaker on a channel; `AGENT` is everything that the customer hears: agents, prompts, hold music. */
export const SPEAKERS = ['CUSTOMER', 'AGENT'] as const;
export type Speaker = (typeof SPEAKERS)[number];

/** Milliseconds of the call: 0 is where the contact's audio begins; they never restart. */
const callMs = z.number().nonnegative();
const speaker = z.enum(SPEAKERS);
const confidence = z.number().min(0).max(1);

const word = z.object({ text: z.string(), startMs: callMs, endMs: callMs, confidence });
export type Word = z.infer<typeof word>;

const sessionFacts = {
  contact: contactFacts.optional(),
  /** Wall time of call time 0, in ISO 8601. */
  startedAt: z.iso.datetime(),
  model: z.string().optional(),
  language: z.string().optional(),
};

const speech = {
  speaker,
  startMs: callMs,
  endMs: callMs,
  text: z.string(),
  confidence,
  /** 1, 2 …: Deepgram's diarization ids restart with each connection. */
  connection: z.int().positive(),
};

const sessionStarted = z.object({ type: z.literal('session.started'), ...sessionFacts });
const finalTranscript = z.object({
  type: z.literal('transcript'),
  final: z.literal(true),
  /** Deepgram's endpointing found the end of an utterance here. */
  speechFinal: z.boolean(),
  ...speech,
  words: z.array(word),
  /** Words left out because an earlier final has them, after a reconnect. */
  dropped: z.int().nonnegative(),
  /** Deepgram's own message, with its times moved to the call's, otherwise whole. */
  deepgram: z.record(z.string(), z.unknown()),
});
const gap = z.object({
  type: z.literal('gap'),
  startMs: callMs,
  endMs: callMs,
  cause: z.enum(TRANSCRIPT_GAP_CAUSES),
  channels: z.array(speaker).min(1),
  /** Cause `undelivered`: these events became dead letters, and may still come. */
  sequences: z.array(z.int().positive()).optional(),
});
const sessionResumed = z.object({
  type: z.literal('session.resumed'),
  ...sessionFacts,
  /** Per speaker: discard everything that starts at or after this time; it is sent again. */
  from: z.object({ CUSTOMER: callMs, AGENT: callMs }),
  cause: z.string(),
});
const sessionEnded = z.object({
  type: z.literal('session.ended'),
  outcome: z.enum(['completed', 'failed']),
  reason: z.string(),
  durationMs: callMs,
  gapMs: callMs,
  unfinishedMs: callMs,
  finals: z.int().nonnegative(),
});

const interimTranscript = z.object({ type: z.literal('transcript'), final: z.literal(false), ...speech });
const utteranceEnded = z.object({ type: z.literal('utterance.ended'), speaker, atMs: callMs });
const speechStarted = z.object({ type: z.literal('speech.started'), speaker, atMs: callMs });

/** The content of events that count: numbered, on disk before they are sent, and delivered exactly once by id. */
export const numberedContent = z.union([sessionStarted, finalTranscript, gap, sessionResumed, sessionEnded]);
export type NumberedContent = z.infer<typeof numberedContent>;
export type FinalTranscript = z.infer<typeof finalTranscript>;
export type GapEvent = z.infer<typeof gap>;
export type SessionStarted = z.infer<typeof sessionStarted>;
export type SessionResumed = z.infer<typeof sessionResumed>;
export type SessionEnded = z.infer<typeof sessionEnded>;

/** The content of events that may be left out: neither numbered nor kept on disk. */
export const hintContent = z.union([interimTranscript, utteranceEnded, speechStarted]);
export type HintContent = z.infer<typeof hintContent>;

const envelope = z.object({
  version: z.literal(1),
  contactId: z.string(),
  sessionId: z.uuid(),
  /** Grows when another instance continues the session. */
  epoch: z.int().positive(),
  /** When the daemon made the event, in ISO 8601. */
  at: z.iso.datetime(),
});
const number = z.object({
  /** 1, 2, 3 … without a gap, from 1 in each epoch. */
  sequence: z.int().positive(),
  /** `<sessionId>_<epoch>_<sequence>` */
  id: z.string(),
});

export const numberedEvent = z.intersection(envelope.extend(number.shape), numberedContent);
export type NumberedEvent = z.infer<typeof numberedEvent>;
/** A gap found after `session.ended`, which is the last numbered event, has no number. */
const hintEvent = z.intersection(envelope, z.union([hintContent, gap]));
export type HintEvent = z.infer<typeof hintEvent>;

/** An event of the results relay (daemon/results/README.md). Consumers ignore unknown types and fields. */
export const resultsEvent = z.union([numberedEvent, hintEvent]);
export type ResultsEvent = z.infer<typeof resultsEvent>;

/** The id of a numbered event, which is the same in every delivery. */
export function eventId(sessionId: string, epoch: number, sequence: number): string {
  return `${sessionId}_${epoch}_${sequence}`;
}
