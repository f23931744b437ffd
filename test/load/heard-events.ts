import { AGENT, type Channel, CUSTOMER, SAMPLE_RATE_HZ } from '../../daemon/contract/audio-format.ts';
import { type ResultsEvent, SPEAKERS, type Word } from '../../daemon/contract/events.ts';
import { msSince } from './monotonic.ts';
import { SENT_AT } from './spoken-results.ts';
import { wordsBetween } from './words.ts';

/** How a consumer can find a call's events wrong. */
export type EventFault =
  /** A number was left out, or the epoch is not 1. */
  | 'sequence'
  /** The first event is not `session.started`, or the last one not `session.ended`. */
  | 'order'
  /** Words are missing, doubled, at the wrong time, or not what was said. */
  | 'words'
  | 'late interim'
  | 'gap'
  /** `session.ended` does not say what happened. */
  | 'totals';

/** What a consumer has received of a call. */
export interface EventFigures {
  readonly requests: number;
  /** By type, as in /metrics: `interim` is a transcript that is not final. Repeated ones are left out. */
  readonly events: Readonly<Record<string, number>>;
  /** Events that came again under the same id. */
  readonly repeats: number;
  readonly words: readonly [number, number];
  readonly faults: Readonly<Partial<Record<EventFault, number>>>;
}

type Transcript = ResultsEvent & { readonly type: 'transcript' };
type Ended = ResultsEvent & { readonly type: 'session.ended' };

/** A call's events as a consumer receives them: checks numbers, and every word of every final against what was said. */
export class HeardEvents {
  readonly #call: number;
  readonly #onFinal: (deliveryMs: number) => void;
  readonly #events: Record<string, number> = {};
  readonly #faults: Partial<Record<EventFault, number>> = {};
  readonly #words: [number, number] = [0, 0];
  readonly #finalMs: [number, number] = [0, 0];
  #requests = 0;
  #sequence = 0;
  #repeats = 0;
  #hasEnded = false;

  /** @param onFinal called with the time since Deepgram sent a final */
  constructor(call: number, onFinal: (deliveryMs: number) => void) {
    this.#call = call;
    this.#onFinal = onFinal;
  }

  /** Takes the events of a request that arrived at `nowMs` on the clock of `monotonicMs`. */
  take(events: readonly ResultsEvent[], nowMs: number): void {
    this.#requests++;
    for (const event of events) if (this.#isNew(event)) this.#event(event, nowMs);
  }

  figures(): EventFigures {
    if (!this.#hasEnded) this.#wrong('order');
    const requests = this.#requests;
    return { requests, events: this.#events, repeats: this.#repeats, words: this.#words, faults: this.#faults };
  }

  #isNew(event: ResultsEvent): boolean {
    if (!('sequence' in event)) return true;
    const { sequence, epoch } = event;
    if (epoch === 1 && sequence <= this.#sequence) {
      this.#repeats++;
      return false;
    }
    if (epoch !== 1 || sequence !== this.#sequence + 1) this.#wrong('sequence');
    if ((event.type === 'session.started') !== (sequence === 1)) this.#wrong('order');
    this.#sequence = sequence;
    return true;
  }

  #event(event: ResultsEvent, nowMs: number): void {
    if (this.#hasEnded) this.#wrong('order');
    const name = event.type === 'transcript' && !event.final ? 'interim' : event.type;
    this.#events[name] = (this.#events[name] ?? 0) + 1;
    if (event.type === 'transcript') this.#transcript(event, nowMs);
    else if (event.type === 'gap') this.#wrong('gap');
    else if (event.type === 'session.ended') this.#ended(event);
  }

  #transcript(event: Transcript, nowMs: number): void {
    const channel = event.speaker === SPEAKERS[CUSTOMER] ? CUSTOMER : AGENT;
    if (event.final) {
      this.#onFinal(msSince(sentAtTicks(event.deepgram), nowMs));
      this.#final(channel, event.words, event.text, event.deepgram);
    } else if (event.endMs <= this.#finalMs[channel]) this.#wrong('late interim');
  }

  #final(channel: Channel, words: readonly Word[], text: string, deepgram: Readonly<Record<string, unknown>>): void {
    const fromMs = this.#finalMs[channel];
    const toMs = Math.round((Number(deepgram['start']) + Number(deepgram['duration'])) * 1000);
    const said = wordsBetween(this.#call, channel, fromMs, toMs);
    const isRight =
      text === said.map(({ written }) => written).join(' ') &&
      words.length === said.length &&
      said.every(({ written, startSample, endSample }, index) => {
        const word = words[index] as Word;
        return word.text === written && samplesAt(word.startMs) === startSample && samplesAt(word.endMs) === endSample;
      });
    if (!isRight) this.#wrong('words');
    this.#words[channel] += words.length;
    this.#finalMs[channel] = toMs;
  }

  #ended({ outcome, finals, gapMs, unfinishedMs }: Ended): void {
    this.#hasEnded = true;
    const isRight =
      outcome === 'completed' && gapMs === 0 && unfinishedMs === 0 && finals === (this.#events['transcript'] ?? 0);
    if (!isRight) this.#wrong('totals');
  }

  #wrong(fault: EventFault): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
  }
}

function samplesAt(ms: number): number {
  return (ms * SAMPLE_RATE_HZ) / 1000;
}

/** When Deepgram sent the message, as it says itself. */
function sentAtTicks({ metadata }: Readonly<Record<string, unknown>>): number {
  const { extra } = metadata as { extra?: Readonly<Record<string, string>> };
  return Number(extra?.[SENT_AT]);
}
