import type { AutoScaling } from './auto-scaling.ts';
import { completeWait, hooksOf, keepWaiting, type Membership } from './membership.ts';
import { inBackground, type RetryOptions } from './retry.ts';

/** Finds the instance's place in its group now: hooks may have been added or removed since the daemon started. */
type FindMembership = (options: RetryOptions) => Promise<Membership>;

/** A termination by Auto Scaling: heartbeats keep it waiting while calls run, completion lets the instance go. */
export class Termination {
  readonly #find: FindMembership;
  readonly #autoScaling: AutoScaling;
  readonly #waiting = new AbortController();
  #found: Membership | undefined;

  /** Starts the heartbeats; they end with `complete` or with `options.signal`. */
  constructor(find: FindMembership, autoScaling: AutoScaling, options: RetryOptions) {
    this.#find = find;
    this.#autoScaling = autoScaling;
    const signal = AbortSignal.any([options.signal, this.#waiting.signal]);
    const waiting = { ...options, signal };
    void inBackground(this.#wait(waiting), waiting);
  }

  /** Stops the heartbeats and completes the hooks. Rejects only when the signal aborts. */
  async complete(options: RetryOptions): Promise<void> {
    this.#waiting.abort();
    const found = await this.#membership(options);
    const hooks = hooksOf(found, 'terminating');
    await Promise.all(hooks.map((hook) => completeWait(hook, found.member, this.#autoScaling, options)));
  }

  async #wait(options: RetryOptions): Promise<void> {
    const found = await this.#membership(options);
    const hooks = hooksOf(found, 'terminating');
    if (hooks.length === 0) {
      const fields = { event: 'lifecycle.no-hook', groupName: found.member.groupName };
      options.log.warn(fields, 'the group has no terminating hook: Auto Scaling does not wait for running calls');
    }
    await Promise.all(hooks.map((hook) => keepWaiting(hook, found.member, this.#autoScaling, options)));
  }

  async #membership(options: RetryOptions): Promise<Membership> {
    this.#found ??= await this.#find(options);
    return this.#found;
  }
}
