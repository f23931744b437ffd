import type { SessionView } from '../../daemon/contract/control-api.ts';
import { Call, type CallView, type SessionEnd } from './call.ts';
import { missingPhrases, type Spoken } from './check.ts';
import type { Result } from './results.ts';

/** Something that changed about a call. */
export type News = { readonly kind: 'started' | 'figures' | 'ended' | 'checked' } | { kind: 'result'; result: Result };

export type Listener = (call: CallView, news: News) => void;

/** The last results arrive within a second of the call's end, or never if Deepgram failed. */
const LAST_RESULTS_TIMEOUT_MS = 5000;

/** The calls of this demo and their state. */
export class CallBook {
  readonly #expected: readonly Spoken[];
  readonly #share: number;
  readonly #calls = new Map<string, Call>();
  readonly #hasAllResults = new Set<Call>();
  readonly #listeners = new Set<Listener>();

  /** A phrase has arrived if `share` (0 to 1) of its words have. */
  constructor(expected: readonly Spoken[], share: number) {
    this.#expected = expected;
    this.#share = share;
  }

  /** All calls, oldest first. */
  views(): CallView[] {
    return [...this.#calls.values()].map((call) => call.view());
  }

  /** Calls `listener` on every change; returns a function that stops it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with the first `count` calls once all of them have ended and been checked. */
  checked(count: number): Promise<CallView[]> {
    return new Promise((resolve) => {
      const stopListening = this.listen(() => {
        const calls = this.views().slice(0, count);
        if (calls.length < count || calls.some(({ missing }) => missing === undefined)) return;
        stopListening();
        resolve(calls);
      });
    });
  }

  /** `atMs`: epoch milliseconds. */
  started(contactId: string, atMs: number): void {
    const call = this.#call(contactId);
    call.started(atMs);
    this.#tell(call, { kind: 'started' });
  }

  /** The trigger did not start a session. */
  refused(contactId: string, problem: string): void {
    const call = this.#call(contactId);
    call.refused(problem);
    this.#tell(call, { kind: 'ended' });
    this.#check(call);
  }

  result(contactId: string, result: Result): void {
    const call = this.#call(contactId);
    call.take(result);
    this.#tell(call, { kind: 'result', result });
  }

  /** This call has no further results. */
  allResultsCame(contactId: string): void {
    const call = this.#call(contactId);
    this.#hasAllResults.add(call);
    if (call.isOver) this.#check(call);
  }

  polled(sessions: readonly SessionView[]): void {
    for (const session of sessions) {
      const call = this.#call(session.contactId);
      call.polled(session);
      this.#tell(call, { kind: 'figures' });
    }
  }

  ended(contactId: string, end: SessionEnd): void {
    const call = this.#call(contactId);
    call.ended(end);
    this.#tell(call, { kind: 'ended' });
    if (this.#hasAllResults.has(call)) this.#check(call);
    else setTimeout(() => this.#check(call), LAST_RESULTS_TIMEOUT_MS);
  }

  #check(call: Call): void {
    const { phrases, missing } = call.view();
    if (missing !== undefined) return;
    call.checked(missingPhrases(this.#expected, phrases, this.#share));
    this.#tell(call, { kind: 'checked' });
  }

  #call(contactId: string): Call {
    const known = this.#calls.get(contactId);
    if (known) return known;
    const call = new Call(this.#calls.size + 1, contactId);
    this.#calls.set(contactId, call);
    return call;
  }

  #tell(call: Call, news: News): void {
    const view = call.view();
    for (const listener of this.#listeners) listener(view, news);
  }
}
