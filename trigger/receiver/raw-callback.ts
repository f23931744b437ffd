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
  duration: seconds,
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
/** A repeat is searched for among this many of the channel's last words of earlier connections. */
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
  const [{ request_id: id, extra }, { request_id: otherId, extra: otherExtra }] = [one.metadata, other.metadata];
  return (
    extra.dgintegrator_connection - otherExtra.dgintegrator_connection ||
    // The same in every order, should two connections have one number.
    extra.dgintegrator_offset_ms - otherExtra.dgintegrator_offset_ms ||
    id.localeCompare(otherId) ||
    one.start - other.start
  );
}

function wordsOf(finals: readonly FinalResults[]): CallWord[] {
  const kept: CallWord[] = [];
  for (const ofConnection of Map.groupBy(finals, ({ metadata }) => metadata.request_id).values()) {
    const channels = Map.groupBy(withoutRepeatedPosts(ofConnection), ({ channel_index: [channel] }) => channel);
    for (const [channel, ofChannel] of channels) {
      const words = ofChannel.flatMap((final) => onCallClock(final, channel));
      const earlier = kept.filter((word) => word.channel === channel);
      kept.push(...withoutRepeats(words, earlier));
    }
  }
  return kept.sort((one, other) => one.startMs - other.startMs);
}

/** A final without words may have the start of the next one, and no duration. */
function withoutRepeatedPosts(finals: readonly FinalResults[]): Iterable<FinalResults> {
  return new Map(finals.map((final) => [`${final.channel_index[0]} ${final.start} ${final.duration}`, final])).values();
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
 * The words of a connection that no earlier one has. A repeat is the same word at the same time, or one whose middle is
 * before the end of the last word: a new connection may hear another word at the cut, and places words a little
 * differently. An earlier word has one repeat at most, and words of one connection are not compared: people say "no no".
 */
function withoutRepeats(words: readonly CallWord[], earlier: readonly CallWord[]): CallWord[] {
  const endMs = earlier.at(-1)?.endMs ?? 0;
  const last = earlier.slice(-LAST_WORDS);
  return words.filter((word) => {
    const at = last.findIndex((each) => isSameWord(each, word));
    if (at >= 0) last.splice(at, 1);
    return at < 0 && (word.startMs + word.endMs) / 2 >= endMs;
  });
}

function isSameWord(one: CallWord, other: CallWord): boolean {
  return spoken(one.text) === spoken(other.text) && Math.abs(one.startMs - other.startMs) <= SAME_WORD_MS;
}

/** Without capitals and punctuation, which depend on the words before. */
function spoken(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}
