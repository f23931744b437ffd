import type { HintEvent, NumberedEvent, ResultsEvent } from '../../daemon/contract/events.ts';
import { transcriptsOf } from '../../trigger/receiver/transcript.ts';
import type { Speaker } from '../fixtures/sample-call/script.ts';

/** Final or interim words. Times are ms of the call. */
export interface Phrase {
  readonly speaker: Speaker;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

/** The words of a call so far, as a consumer of its events has them. */
export class Transcript {
  readonly #events: NumberedEvent[] = [];
  readonly #interim = new Map<Speaker, Phrase>();
  #phrases: readonly Phrase[] = [];
  #lostEvents = 0;

  /** Final phrases, in time order. */
  get phrases(): readonly Phrase[] {
    return this.#phrases;
  }

  /** Interim phrases, at most one per speaker. */
  get interim(): readonly Phrase[] {
    return [...this.#interim.values()];
  }

  /** Events that have not arrived although later ones have. */
  get lostEvents(): number {
    return this.#lostEvents;
  }

  /** Adds an event; a repeated one changes nothing. */
  take(event: ResultsEvent): void {
    if (event.type === 'transcript') this.#takeInterim(event);
    if (!isNumbered(event)) return;
    this.#events.push(event);
    const sessions = transcriptsOf(this.#events);
    this.#lostEvents = sessions.reduce((lost, { missing }) => lost + missing.length, 0);
    this.#phrases = sessions.flatMap(({ lines }) =>
      lines.flatMap((line) => (line.type === 'speech' ? [{ ...line, speaker: speakerOf(line.speaker) }] : [])),
    );
  }

  #takeInterim(event: ResultsEvent & { type: 'transcript' }): void {
    const phrase = phraseOf(event);
    if (event.final || phrase.text === '') this.#interim.delete(phrase.speaker);
    else this.#interim.set(phrase.speaker, phrase);
  }
}

/** The words of a transcript event. */
export function phraseOf({ speaker, startMs, endMs, text }: ResultsEvent & { type: 'transcript' }): Phrase {
  return { speaker: speakerOf(speaker), startMs, endMs, text };
}

function speakerOf(speaker: 'CUSTOMER' | 'AGENT'): Speaker {
  return speaker === 'CUSTOMER' ? 'customer' : 'agent';
}

function isNumbered(event: NumberedEvent | HintEvent): event is NumberedEvent {
  return 'sequence' in event;
}
