import type { SessionView } from '../../daemon/contract/control-api.ts';
import type { ResultsEvent } from '../../daemon/contract/events.ts';
import { Call, type CallView, type SessionEnd, type Victim } from './call.ts';
import { missingPhrases, overlappingPhrases, type Spoken, unexpectedWords } from './check.ts';
import { type Phrase, phraseOf } from './transcript.ts';

/** Something that changed about a call. */
export type News =
  | { readonly kind: 'started' | 'resumed' | 'figures' | 'ended' | 'checked' }
  | { readonly kind: 'result'; readonly result: Phrase; readonly isFinal: boolean }
  | { readonly kind: 'broke'; readonly victim: Victim; readonly startMs: number };

type Listener = (call: CallView, news: News) => void;

/** The last event is delivered within a second of the call's end, unless deliveries fail. */
const LAST_EVENT_TIMEOUT_MS = 15_000;

/** The calls of this demo and their state. */
export class CallBook {
  readonly #expected: readonly Spoken[];
  readonly #share: number;
  readonly #calls = new Map<string, Call>();
  readonly #hasAllEvents = new Set<Call>();
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
        if (calls.length < count || calls.some(({ faults }) => faults === undefined)) return;
        stopListening();
        resolve(calls);
      });
    });
  }

  /** `atMs`: epoch milliseconds. */
  started(contactId: string, atMs: number): void {
    const call = this.#call(contactId);
    this.#tell(call, { kind: call.started(atMs) ? 'started' : 'resumed' });
  }

  /** The trigger did not start a session. */
  refused(contactId: string, problem: string): void {
    const call = this.#call(contactId);
    call.refused(problem);
    this.#tell(call, { kind: 'ended' });
    this.#check(call);
  }

  /** An event of the results relay. */
  took(event: ResultsEvent): void {
    const call = this.#call(event.contactId);
    const known = call.view().phrases.length;
    call.take(event);
    if (event.type === 'transcript') {
      // A final that is delivered again is no news.
      const isNews = !event.final || event.text === '' || call.view().phrases.length > known;
      if (isNews) this.#tell(call, { kind: 'result', result: phraseOf(event), isFinal: event.final });
    }
    if (event.type !== 'session.ended') return;
    this.#hasAllEvents.add(call);
    if (call.isOver) this.#check(call);
  }

  /** Something that all running calls need was broken on purpose. */
  broke(victim: Victim): void {
    for (const call of this.#calls.values()) {
      if (call.isOver) continue;
      call.broke(victim);
      const { startMs } = call.view().breaks.at(-1) as { startMs: number };
      this.#tell(call, { kind: 'broke', victim, startMs });
    }
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
    if (this.#hasAllEvents.has(call)) this.#check(call);
    else setTimeout(() => this.#check(call), LAST_EVENT_TIMEOUT_MS);
  }

  #check(call: Call): void {
    const { phrases, lostEvents, faults } = call.view();
    if (faults !== undefined) return;
    const missing = missingPhrases(this.#expected, phrases, this.#share);
    // Real recognition hears words that nobody said: only their times tell whether they came twice.
    const repeated = this.#share < 1 ? overlappingPhrases(phrases) : unexpectedWords(this.#expected, phrases);
    call.checked({ missing, repeated, lostEvents });
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
