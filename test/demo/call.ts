import type { SessionView } from '../../daemon/contract/control-api.ts';
import type { ResultsEvent } from '../../daemon/contract/events.ts';
import type { Spoken } from './check.ts';
import { type Phrase, Transcript } from './transcript.ts';

type CallState = 'running' | 'ending' | 'ended' | 'failed';

/** How a session ended, from integratord's log. */
export interface SessionEnd {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly outcome: string;
  readonly audioMs: number;
  readonly worstLagMs: number;
  readonly gapMs: number;
  readonly error: string | undefined;
}

/** What a demo breaks on purpose. */
export type Victim = 'deepgram' | 'integratord';

/** Something that was broken on purpose, at a time of the call. */
interface Break {
  readonly victim: Victim;
  readonly startMs: number;
}

/** What is wrong with a call's transcript. */
export interface Faults {
  /** Phrases that did not arrive. */
  readonly missing: readonly Spoken[];
  /** Words that were repeated or never spoken. */
  readonly repeated: readonly Spoken[];
  /** Numbered events that never came. */
  readonly lostEvents: number;
}

/** True if a call ended without a missing or repeated word. */
export function isFaultless({ state, faults }: Pick<CallView, 'state' | 'faults'>): boolean {
  if (state !== 'ended' || !faults) return false;
  return faults.missing.length === 0 && faults.repeated.length === 0 && faults.lostEvents === 0;
}

/** A call as shown to people. */
export interface CallView {
  /** 1 for the first call of this demo. */
  readonly number: number;
  readonly contactId: string;
  readonly state: CallState;
  /** Why the call failed. */
  readonly problem: string | undefined;
  /** No session was started. */
  readonly wasRefused: boolean;
  readonly ageMs: number;
  /** Audio sent to Deepgram. */
  readonly audioMs: number;
  readonly lagMs: number;
  readonly worstLagMs: number;
  readonly gapMs: number;
  readonly phrases: readonly Phrase[];
  readonly interim: readonly Phrase[];
  /** In time order. */
  readonly breaks: readonly Break[];
  /** Events that have not arrived although later ones have. */
  readonly lostEvents: number;
  /** Undefined while words may still arrive. */
  readonly faults: Faults | undefined;
}

/** One call, from its start to its last result. */
export class Call {
  readonly number: number;
  readonly contactId: string;
  readonly #transcript = new Transcript();
  #state: CallState = 'running';
  #problem: string | undefined;
  #wasRefused = false;
  readonly #breaks: Break[] = [];
  #faults: Faults | undefined;
  #startedAtMs: number | undefined;
  #figures = { ageMs: 0, audioMs: 0, lagMs: 0, worstLagMs: 0, gapMs: 0 };

  constructor(number: number, contactId: string) {
    this.number = number;
    this.contactId = contactId;
  }

  get isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'failed';
  }

  /** False if it had started before: another process resumes it. */
  started(atMs: number): boolean {
    const isFirst = this.#startedAtMs === undefined;
    this.#startedAtMs ??= atMs;
    return isFirst;
  }

  take(event: ResultsEvent): void {
    this.#transcript.take(event);
  }

  /** Notes a break where the call is now. */
  broke(victim: Victim): void {
    const { phrases, interim } = this.#transcript;
    const startMs = Math.max(0, ...[...phrases, ...interim].map(({ endMs }) => endMs));
    this.#breaks.push({ victim, startMs });
  }

  polled({ state, ageMs, audioMs, lagMs, worstLagMs, gapMs }: SessionView): void {
    // A response from before the end may arrive after the log line of the end.
    if (this.isOver) return;
    this.#state = state;
    this.#figures = { ageMs, audioMs, lagMs, worstLagMs, gapMs };
  }

  ended({ atMs, outcome, audioMs, worstLagMs, gapMs, error }: SessionEnd): void {
    this.#state = outcome === 'completed' ? 'ended' : 'failed';
    this.#problem = error;
    const ageMs = atMs - (this.#startedAtMs ?? atMs);
    this.#figures = { ...this.#figures, ageMs, audioMs, worstLagMs, gapMs };
  }

  refused(problem: string): void {
    this.#state = 'failed';
    this.#wasRefused = true;
    this.#problem = problem;
  }

  checked(faults: Faults): void {
    this.#faults = faults;
  }

  view(): CallView {
    const { number, contactId } = this;
    const { phrases, interim, lostEvents } = this.#transcript;
    const problem = this.#problem;
    return {
      number,
      contactId,
      state: this.#state,
      problem,
      wasRefused: this.#wasRefused,
      ...this.#figures,
      phrases,
      interim,
      breaks: [...this.#breaks],
      lostEvents,
      faults: this.#faults,
    };
  }
}
