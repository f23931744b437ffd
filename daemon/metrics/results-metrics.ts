import type { Millis } from '../runtime/clock.ts';
import { Distribution, type DistributionSnapshot } from './distribution.ts';
import { emptyTally, nameOrOther, type Tally } from './tally.ts';

/** Where events of the results relay go (results/sink.ts). */
export const RESULT_SINKS = ['webhook', 'stream'] as const;
type ResultSink = (typeof RESULT_SINKS)[number];
/** Types of events (contract/events.ts); a transcript that is not final is an `interim`. */
const RESULT_TYPES = [
  'session.started',
  'transcript',
  'interim',
  'gap',
  'session.resumed',
  'session.ended',
  'utterance.ended',
  'speech.started',
  'other',
] as const;
/** Outcomes of an attempt to deliver (results/sink.ts). */
const DELIVERY_OUTCOMES = ['delivered', 'retry', 'given-up', 'too-large'] as const;

/** One write to disk and one request in the usual case; up to an hour while a consumer is down. */
export const DELIVERY_BOUNDS_MS: readonly Millis[] = [
  25, 50, 75, 100, 150, 250, 500, 1000, 2500, 5000, 15_000, 60_000, 300_000, 3_600_000,
];
/** Deepgram's finals come seconds after the words. */
export const END_TO_END_BOUNDS_MS: readonly Millis[] = [
  250, 500, 1000, 1500, 2000, 3000, 4000, 5000, 7500, 10_000, 30_000, 60_000, 300_000, 3_600_000,
];

type BySink<T> = { readonly [sink in ResultSink]: T };

/** A thread's counts of its sessions' events; they never decrease. */
export type ResultsCounts = {
  readonly delivered: BySink<Tally<(typeof RESULT_TYPES)[number]>>;
  readonly attempts: BySink<Tally<(typeof DELIVERY_OUTCOMES)[number]>>;
  readonly deadLetters: Tally<ResultSink>;
  readonly lost: number;
  readonly hintsDropped: number;
  readonly deliveryMs: DistributionSnapshot;
  readonly endToEndMs: DistributionSnapshot;
};

/** What waits to be delivered now. */
export interface ResultsBacklog {
  readonly events: number;
  readonly oldestAgeMs: Millis;
}

/** An event that arrived at its sink. */
interface DeliveredEvent {
  readonly type: string;
  readonly isHint: boolean;
  /** Since it happened. */
  readonly tookMs: Millis;
  /** For finals, since the end of its audio was spoken. */
  readonly endToEndMs: Millis | undefined;
}

/** One thread's counters of the results relay. */
export class ResultsMetrics {
  readonly #delivered = bySink(() => emptyTally(RESULT_TYPES));
  readonly #attempts = bySink(() => emptyTally(DELIVERY_OUTCOMES));
  readonly #deadLetters = emptyTally(RESULT_SINKS);
  readonly #deliveryMs = new Distribution(DELIVERY_BOUNDS_MS);
  readonly #endToEndMs = new Distribution(END_TO_END_BOUNDS_MS);
  #lost = 0;
  #hintsDropped = 0;

  attempted(sink: ResultSink, outcome: (typeof DELIVERY_OUTCOMES)[number]): void {
    this.#attempts[sink][outcome]++;
  }

  delivered(sink: ResultSink, { type, isHint, tookMs, endToEndMs }: DeliveredEvent): void {
    const name = isHint && type === 'transcript' ? 'interim' : type;
    this.#delivered[sink][nameOrOther(RESULT_TYPES, name)]++;
    if (endToEndMs === undefined) return;
    this.#deliveryMs.observe(tookMs);
    this.#endToEndMs.observe(Math.max(0, endToEndMs));
  }

  deadLetter(sink: ResultSink, events: number): void {
    this.#deadLetters[sink] += events;
  }

  /** A hint was left out. */
  hintDropped(): void {
    this.#hintsDropped++;
  }

  /** Numbered events were lost: they made room for others, or could not be kept as dead letters. */
  lost(events: number): void {
    this.#lost += events;
  }

  snapshot(): ResultsCounts {
    return {
      delivered: bySink((sink) => ({ ...this.#delivered[sink] })),
      attempts: bySink((sink) => ({ ...this.#attempts[sink] })),
      deadLetters: { ...this.#deadLetters },
      lost: this.#lost,
      hintsDropped: this.#hintsDropped,
      deliveryMs: this.#deliveryMs.snapshot(),
      endToEndMs: this.#endToEndMs.snapshot(),
    };
  }
}

function bySink<T>(make: (sink: ResultSink) => T): { [sink in ResultSink]: T } {
  return { webhook: make('webhook'), stream: make('stream') };
}
