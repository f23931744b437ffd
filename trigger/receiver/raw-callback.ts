import { z } from 'zod';

/**
 * For a flow with `dg_callback`: what a callback must do to read a call from Deepgram's own messages. After a reconnect
 * Deepgram's times restart at 0 and words come twice; `extra`, which Deepgram repeats in each message, says where in
 * the call a connection began (trigger/README.md, "The order of a contact's sessions"). Prefer a webhook of
 * integratord: it delivers each word once.
 */

/** A word on the call's own clock. */
interface CallWord {
  readonly channel: number;
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

interface CallbackTranscript {
  /** `dgintegrator_started_at`: wall time of the session's time 0. */
  readonly startedAt: string;
  /** Each word once, in order of time. */
  readonly words: readonly CallWord[];
}

const seconds = z.number().nonnegative();
const finalResults = z.object({
  type: z.literal('Results'),
  is_final: z.literal(true),
  start: seconds,
  channel_index: z.tuple([z.int(), z.int()]),
  channel: z.object({
    alternatives: z
      .array(
        z.object({
          words: z.array(
            z.object({ word: z.string(), punctuated_word: z.string().optional(), start: seconds, end: seconds }),
          ),
        }),
      )
      .min(1),
  }),
  metadata: z.object({
    request_id: z.string(),
    extra: z.object({
      dgintegrator_started_at: z.string(),
      /** Only from the second connection on. */
      dgintegrator_offset_ms: z.coerce.number().default(0),
      dgintegrator_connection: z.coerce.number().default(1),
    }),
  }),
});
type FinalResults = z.infer<typeof finalResults>;

/** How far apart two connections may place the same word. */
const SAME_WORD_MS = 300;
/** A repeat is searched for among this many of the channel's last words. */
const LAST_WORDS = 10;

/**
 * The transcripts of a call's sessions, by their start. `messages` are the bodies of Deepgram's posts, in any order:
 * Deepgram repeats a post whose response it missed. Interim results are left out.
 */
export function transcriptsOfCallback(messages: readonly unknown[]): CallbackTranscript[] {
  const finals = messages.flatMap((message) => finalResults.safeParse(message).data ?? []);
  const sessions = Map.groupBy(finals, ({ metadata }) => metadata.extra.dgintegrator_started_at);
  return [...sessions]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([startedAt, ofSession]) => ({ startedAt, words: wordsOf(ofSession.sort(byConnectionAndTime)) }));
}

function byConnectionAndTime(one: FinalResults, other: FinalResults): number {
  const { dgintegrator_connection: first } = one.metadata.extra;
  const { dgintegrator_connection: second } = other.metadata.extra;
  return first - second || one.start - other.start;
}

function wordsOf(finals: readonly FinalResults[]): CallWord[] {
  const kept = new Map<number, CallWord[]>();
  const seen = new Set<string>();
  for (const final of finals) {
    const [channel] = final.channel_index;
    const post = `${final.metadata.request_id} ${channel} ${final.start}`;
    if (seen.has(post)) continue;
    seen.add(post);
    const ofChannel = kept.get(channel) ?? [];
    kept.set(channel, ofChannel);
    for (const word of onCallClock(final, channel)) if (!isRepeat(word, ofChannel)) ofChannel.push(word);
  }
  return [...kept.values()].flat().sort((one, other) => one.startMs - other.startMs);
}

function onCallClock({ channel: { alternatives }, metadata }: FinalResults, channel: number): CallWord[] {
  const { dgintegrator_offset_ms: offsetMs } = metadata.extra;
  return (alternatives[0]?.words ?? []).map(({ word, punctuated_word: written, start, end }) => ({
    channel,
    text: written ?? word,
    startMs: Math.round(offsetMs + start * 1000),
    endMs: Math.round(offsetMs + end * 1000),
  }));
}

/**
 * The drop-repeats rule: the same word at the same time, or a word whose middle is before the end of the channel's last
 * one. A new connection may hear another word at the cut, and places words a little differently.
 */
function isRepeat(word: CallWord, before: readonly CallWord[]): boolean {
  const middleMs = (word.startMs + word.endMs) / 2;
  if (middleMs < (before.at(-1)?.endMs ?? 0)) return true;
  return before
    .slice(-LAST_WORDS)
    .some(
      ({ text, startMs }) => spoken(text) === spoken(word.text) && Math.abs(startMs - word.startMs) <= SAME_WORD_MS,
    );
}

/** Without capitals and punctuation, which depend on the words before. */
function spoken(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}
