import type { SessionView } from '../../daemon/contract/control-api.ts';
import type { Spoken } from './check.ts';
import type { Result } from './results.ts';
import { type Phrase, Transcript } from './transcript.ts';

export type CallState = 'running' | 'ending' | 'ended' | 'failed';

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
  /** Phrases that did not arrive; undefined while they still may. */
  readonly missing: readonly Spoken[] | undefined;
}

/** One call, from its start to its last result. */
export class Call {
  readonly number: number;
  readonly contactId: string;
  readonly #transcript = new Transcript();
  #state: CallState = 'running';
  #problem: string | undefined;
  #wasRefused = false;
  #missing: readonly Spoken[] | undefined;
  #startedAtMs: number | undefined;
  #figures = { ageMs: 0, audioMs: 0, lagMs: 0, worstLagMs: 0, gapMs: 0 };

  constructor(number: number, contactId: string) {
    this.number = number;
    this.contactId = contactId;
  }

  get isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'failed';
  }

  started(atMs: number): void {
    this.#startedAtMs = atMs;
  }

  take(result: Result): void {
    this.#transcript.take(result);
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

  checked(missing: readonly Spoken[]): void {
    this.#missing = missing;
  }

  view(): CallView {
    const { number, contactId } = this;
    const { phrases, interim } = this.#transcript;
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
      missing: this.#missing,
    };
  }
}
