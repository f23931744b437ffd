import { Call, type CallPlan } from './call.ts';
import type { Stream } from './stream.ts';

/** All calls that were ever started, by their id. */
export class Calls {
  readonly #calls = new Map<string, Call>();

  get(id: string): Call | undefined {
    return this.#calls.get(id);
  }

  /** Starts a call on a stream, or gives the one that is still on it: Connect never mixes two calls in a stream. */
  start(plan: CallPlan, stream: Stream): { started: Call } | { busyWith: Call } {
    for (const call of this.#calls.values()) {
      if (call.stream === stream && call.state === 'running') return { busyWith: call };
    }
    const started = new Call(plan, stream);
    this.#calls.set(started.id, started);
    return { started };
  }

  /** Ends them all. */
  stop(): void {
    for (const call of this.#calls.values()) call.stop();
  }
}
