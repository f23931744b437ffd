import type { AutoScaling } from './auto-scaling.ts';
import { completeWait, hooksOf, keepWaiting, type Membership } from './membership.ts';
import { inBackground, type Persistence, persist } from './retry.ts';

/** Asks Auto Scaling for the instance's place anew: hooks may have come and gone since the start. */
export type LookUp = (signal: AbortSignal) => Promise<Membership | undefined>;

/** Auto Scaling terminates the instance: it is made to wait for the running calls, and told when they are over. */
export class Termination {
  readonly #lookUp: LookUp;
  readonly #autoScaling: AutoScaling;
  readonly #waiting = new AbortController();
  #found: Membership | undefined;

  /** Makes Auto Scaling wait from now on; `persistence.signal` ends that too. */
  constructor(lookUp: LookUp, autoScaling: AutoScaling, persistence: Persistence) {
    this.#lookUp = lookUp;
    this.#autoScaling = autoScaling;
    const signal = AbortSignal.any([persistence.signal, this.#waiting.signal]);
    const waiting = { ...persistence, signal };
    void inBackground(this.#wait(waiting), waiting);
  }

  /** Sends no more heartbeats and lets the instance go. Rejects only with the signal. */
  async complete(trying: Persistence): Promise<void> {
    this.#waiting.abort();
    const found = await this.#find(trying);
    if (!found) return;
    const hooks = hooksOf(found, 'terminating');
    await Promise.all(hooks.map((hook) => completeWait(hook, found.member, this.#autoScaling, trying)));
  }

  async #wait(waiting: Persistence): Promise<void> {
    const found = await this.#find(waiting);
    if (!found) return;
    const hooks = hooksOf(found, 'terminating');
    if (hooks.length === 0) {
      const fields = { event: 'lifecycle.no-hook', groupName: found.member.groupName };
      waiting.log.warn(fields, 'there is no terminating hook: Auto Scaling does not wait for the running calls');
    }
    await Promise.all(hooks.map((hook) => keepWaiting(hook, found.member, this.#autoScaling, waiting)));
  }

  async #find(persistence: Persistence): Promise<Membership | undefined> {
    this.#found ??= await persist('find the terminating hook', this.#lookUp, persistence);
    return this.#found;
  }
}
