import { Call, type CallPlan } from './call.ts';
import type { Stream } from './stream.ts';

/** All calls, past and present, by id. */
export class Calls {
  readonly #calls = new Map<string, Call>();

  get(id: string): Call | undefined {
    return this.#calls.get(id);
  }

  /** Starts a call on a stream, or returns the one in progress: Connect never mixes calls in a stream. */
  start(plan: CallPlan, stream: Stream): { started: Call } | { busyWith: Call } {
    for (const call of this.#calls.values()) {
      if (call.stream === stream && call.state === 'running') return { busyWith: call };
    }
    const started = new Call(plan, stream);
    this.#calls.set(started.id, started);
    return { started };
  }

  /** Ends all calls. */
  stop(): void {
    for (const call of this.#calls.values()) void call.stop();
  }
}
