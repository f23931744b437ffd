import { z } from 'zod';
import type { Speaker } from '../fixtures/sample-call/script.ts';
import type { Line } from '../support/process.ts';

/** A result for one speaker; times are relative to the call. */
export interface Result {
  readonly speaker: Speaker;
  readonly startMs: number;
  /** Empty for silence. */
  readonly text: string;
  /** Otherwise a later result replaces it. */
  readonly isFinal: boolean;
}

/** trigger/README.md: customer is channel 0, agent side channel 1. */
const SPEAKERS: readonly Speaker[] = ['customer', 'agent'];
const MS_PER_S = 1000;
/** People on the phone speak about 170 words a minute. */
const MS_PER_WORD = 350;

const resultsMessage = z.object({
  type: z.literal('Results'),
  channel_index: z.array(z.number()).min(1),
  start: z.number(),
  duration: z.number(),
  is_final: z.boolean(),
  channel: z.object({
    alternatives: z.array(z.object({ transcript: z.string(), words: z.array(z.object({ start: z.number() })) })).min(1),
  }),
});

const loggedResult = z.object({
  event: z.literal('deepgram.result'),
  channel: z.number(),
  start: z.number(),
  duration: z.number(),
  isFinal: z.boolean(),
  transcript: z.string(),
});

/** The result in a callback message from Deepgram; undefined for other messages. */
export function resultInMessage(message: unknown): Result | undefined {
  const { data } = resultsMessage.safeParse(message);
  const speaker = SPEAKERS[data?.channel_index[0] ?? -1];
  const heard = data?.channel.alternatives[0];
  if (!data || !speaker || !heard) return undefined;
  const startMs = (heard.words[0]?.start ?? data.start) * MS_PER_S;
  return { speaker, startMs, text: heard.transcript, isFinal: data.is_final };
}

/** The result in a line of integratord's debug log; undefined for other lines. */
export function resultInLog(line: Line): Result | undefined {
  const { data } = loggedResult.safeParse(line);
  const speaker = SPEAKERS[data?.channel ?? -1];
  if (!data || !speaker) return undefined;
  const { start, duration, transcript, isFinal } = data;
  return { speaker, startMs: likelyStartMs(start, duration, transcript), text: transcript, isFinal };
}

/** A result includes the silence before its words, and the log has no word times: so the first word's time is estimated
 *  from the end. */
function likelyStartMs(startS: number, durationS: number, text: string): number {
  const wordsMs = text.split(' ').length * MS_PER_WORD;
  return Math.max(startS * MS_PER_S, (startS + durationS) * MS_PER_S - wordsMs);
}
