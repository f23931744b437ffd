/** Checks what a consumer has of the sample call: each function returns what is wrong, so tests and commands share them. */
import { isDeepStrictEqual } from 'node:util';
import type { FinalTranscript, NumberedContent, NumberedEvent, ResultsEvent } from '../../daemon/contract/events.ts';
import { CALL, phrasesOn } from '../simulators/deepgram/call-audio.ts';

const SAMPLES_PER_MS = 8;
const SPEAKERS = ['CUSTOMER', 'AGENT'] as const;

interface Expected {
  /** A word may be this much early or late. */
  readonly withinMs: number;
  /** How often the sample call was played in a row. */
  readonly times?: number;
}

/** The numbered events in the order of their first arrival. */
export function numberedOf(received: readonly ResultsEvent[]): NumberedEvent[] {
  const byId = new Map<string, NumberedEvent>();
  for (const event of received) if ('sequence' in event && !byId.has(event.id)) byId.set(event.id, event);
  return [...byId.values()];
}

/** Whether a consumer got the session's events in order, without a gap, each id always with the same event. */
export function faultsOfOrder(received: readonly ResultsEvent[]): string[] {
  const events = numberedOf(received);
  const faults = events.flatMap(({ sequence, epoch }, index) =>
    sequence === index + 1 && epoch === 1 ? [] : [`event ${index + 1} is number ${sequence} of epoch ${epoch}`],
  );
  const byId = new Map(events.map((event) => [event.id, event]));
  for (const event of received) {
    if ('sequence' in event && !isDeepStrictEqual(event, byId.get(event.id)))
      faults.push(`${event.id} came again as another event`);
  }
  return faults;
}

/** Whether the events have every word of the call once, in order, at its time, and begin and end as they should. */
export function faultsOfCall(events: readonly NumberedContent[], { withinMs, times = 1 }: Expected): string[] {
  const finals = events.filter((event): event is FinalTranscript => event.type === 'transcript');
  const faults = SPEAKERS.flatMap((speaker, channel) => {
    const own = finals.filter((final) => final.speaker === speaker);
    return [...faultsOfWords(own, channel, { withinMs, times }), ...overlaps(own)].map(
      (fault) => `${speaker}: ${fault}`,
    );
  });
  const [first, last] = [events[0], events.at(-1)];
  if (first?.type !== 'session.started') faults.push(`the first event is ${first?.type}`);
  if (events.filter(({ type }) => type.startsWith('session.')).length !== 2)
    faults.push('more than a start and an end');
  if (last?.type !== 'session.ended') faults.push(`the last event is ${last?.type}`);
  else if (last.outcome !== 'completed' || last.finals !== finals.length)
    faults.push(`${last.outcome} with ${last.finals} finals of ${finals.length}`);
  return faults;
}

function faultsOfWords(finals: readonly FinalTranscript[], channel: number, { withinMs, times }: Required<Expected>) {
  const heard = finals.flatMap(({ words }) => words);
  const said = wordsOn(channel, times);
  const at = said.findIndex(({ text }, index) => heard[index]?.text !== text);
  if (at >= 0 || heard.length !== said.length) {
    const around = (words: readonly { readonly text: string }[]) =>
      words.slice(Math.max(0, at - 3), at < 0 ? undefined : at + 4).map(({ text }) => text);
    return [
      `${heard.length} words of ${said.length}; said … ${around(said).join(' ')} …, heard … ${around(heard).join(' ')} …`,
    ];
  }
  const offMs = Math.max(...heard.map(({ startMs }, index) => Math.abs(startMs - (said[index]?.startMs ?? 0))));
  return offMs > withinMs ? [`words are up to ${Math.round(offMs)} ms off`] : [];
}

function overlaps(finals: readonly FinalTranscript[]): string[] {
  return finals.flatMap(({ startMs }, index) => {
    const endMs = finals[index - 1]?.endMs ?? 0;
    return startMs < endMs ? [`a final begins at ${startMs} ms, before ${endMs} ms`] : [];
  });
}

/** The words of a channel, and where they begin in the audio. */
function wordsOn(channel: number, times: number): { readonly text: string; readonly startMs: number }[] {
  const once = phrasesOn(channel).flatMap(({ words }) => words);
  const lengthSamples = CALL.customer.length;
  return Array.from({ length: times }, (_, nth) =>
    once.map(({ word, startSample }) => ({
      text: word,
      startMs: (startSample + nth * lengthSamples) / SAMPLES_PER_MS,
    })),
  ).flat();
}
