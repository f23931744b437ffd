import type { Counted, Span } from './comparison.ts';
import type { Start } from './daemon.ts';
import type { AudioFigures, RelayedFigures } from './report.ts';
import type { Setup } from './setup.ts';
import { BLOCK_MS } from './sound.ts';

const MS_PER_SECOND = 1000;

/** The outcome of a run's calls, as observed outside the daemon. */
interface Outcome {
  readonly audio: AudioFigures;
  /** With --results. */
  readonly results: RelayedFigures | undefined;
  readonly counted: Counted;
}

/** Compares what the calls sent with what Deepgram received, once all have ended. */
export async function outcomeOf(setup: Setup, starts: readonly Start[]): Promise<Outcome> {
  const { kinesis, deepgram } = setup;
  const started = new Set(starts.filter(({ failure }) => failure === undefined).map(({ call }) => call));
  const said = (await kinesis.order('totals')).filter(({ call }) => started.has(call));
  const heard = await deepgram.order('totals', said);
  const reconnects = heard.flatMap((call) => call.reconnects);
  const gapMs = sum(heard.map((call) => call.gapMs));
  const heardMs = sum(heard.map(({ receivedMs }) => receivedMs));
  const saidMs = sum(said.map(({ blocks }) => blocks)) * BLOCK_MS;
  const lostMs = sum(said.map(({ lostBlocks }) => lostBlocks)) * BLOCK_MS;
  const results = await relayedOf(setup, [...started]);
  return {
    audio: {
      saidSeconds: saidMs / MS_PER_SECOND,
      receivedSeconds: heardMs / MS_PER_SECOND,
      gapMs,
      lostMs,
      callsWithGaps: heard.filter((call) => call.gapMs > 0).length,
      wrongBlocks: sum(heard.map(({ wrongBlocks }) => wrongBlocks)),
      surplusMs: sum(heard.map(({ surplusMs }) => surplusMs)),
      repeatedMs: sum(heard.map(({ repeatedBlocks }) => repeatedBlocks)) * BLOCK_MS,
      verifiedCalls: heard.filter(({ isVerified }) => isVerified).length,
    },
    results,
    counted: {
      starts: {
        succeeded: tally(starts.map(({ status }) => status)),
        failed: tally(starts.map(({ reason }) => reason)),
      },
      handedOver: said.filter(({ isOver }) => isOver).length,
      mediaReopened: sum(said.map(({ connections }) => connections - 1)),
      spokenMs: saidMs - lostMs,
      reachedMs: sum(heard.map(({ reachedMs }) => reachedMs)),
      gapMs,
      heardMs,
      unreadMs: together(reconnects.map(({ unreadMs }) => unreadMs)),
      reconnects: tally(reconnects.map(({ closeCode }) => String(closeCode))),
      replayedMs: together(reconnects.map(({ replayedMs }) => replayedMs)),
      results: results && {
        events: results.events,
        requests: results.requests,
        hintsDropped: results.interimsSent - (results.events['interim'] ?? 0),
      },
    },
  };
}

/** Compares what Deepgram returned for the calls with what the consumer received, once all is delivered. */
async function relayedOf({ deepgram, consumer }: Setup, calls: readonly number[]): Promise<RelayedFigures | undefined> {
  if (!consumer) return undefined;
  const [spoken, heard, { counts }] = await Promise.all([
    deepgram.order('spoken', calls),
    consumer.order('totals', calls),
    consumer.order('figures'),
  ]);
  return {
    finalsSent: sum(spoken.map(({ finals }) => finals)),
    interimsSent: sum(spoken.map(({ interims }) => interims)),
    wordsSent: sum(spoken.flatMap(({ words }) => words)),
    events: sumEach(heard.map(({ events }) => events)),
    words: sum(heard.flatMap(({ words }) => words)),
    requests: sum(heard.map(({ requests }) => requests)),
    repeats: sum(heard.map(({ repeats }) => repeats)),
    faults: sumEach(heard.map(({ faults }) => faults)),
    refused: counts.refused,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumEach(tallies: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, count] of tallies.flatMap(Object.entries<number>)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

function together(spans: readonly Span[]): Span {
  return { least: sum(spans.map(({ least }) => least)), most: sum(spans.map(({ most }) => most)) };
}

/** Counts each word. */
function tally(words: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) if (word !== undefined) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
