import { backoffMs } from '../runtime/backoff.ts';
import type { Millis } from '../runtime/clock.ts';
import type { AutoScaling } from './auto-scaling.ts';
import type { LifecycleView } from './lifecycle.ts';
import { hooksOf, type Membership } from './membership.ts';
import type { Metadata } from './metadata.ts';
import { FIRST_RETRY_MS, LONGEST_RETRY_MS, type RetryOptions, retry } from './retry.ts';

/** An instance that may be in no group at all asks this rarely: Auto Scaling's rate limits are the account's. */
const LONGEST_ABSENCE_RETRY_MS: Millis = 5 * 60_000;

/** Finds this instance's place in its group, and remembers it. */
export class MembershipLookup {
  readonly #metadata: Pick<Metadata, 'instanceId'>;
  readonly #autoScaling: AutoScaling;
  #instanceId: string | undefined;
  #last: Membership | undefined;

  constructor(metadata: Pick<Metadata, 'instanceId'>, autoScaling: AutoScaling) {
    this.#metadata = metadata;
    this.#autoScaling = autoScaling;
  }

  get view(): Pick<LifecycleView, 'instanceId' | 'groupName' | 'terminatingHooks'> {
    return {
      instanceId: this.#instanceId,
      groupName: this.#last?.member.groupName,
      terminatingHooks: this.#last && hooksOf(this.#last, 'terminating'),
    };
  }

  /** One request to the metadata service, until one has succeeded. */
  async identify(): Promise<string> {
    this.#instanceId ??= await this.#metadata.instanceId();
    return this.#instanceId;
  }

  /**
   * One attempt. Undefined when Auto Scaling does not list the instance and never has: it is eventually consistent, so
   * an instance that it does not list any more is taken to be where it was. Hooks may change: callers ask again when it
   * matters.
   */
  async find(signal: AbortSignal): Promise<Membership | undefined> {
    const member = (await this.#autoScaling.findMember(await this.identify(), signal)) ?? this.#last?.member;
    if (!member) return undefined;
    this.#last = { member, hooks: await this.#autoScaling.listHooks(member.groupName, signal) };
    return this.#last;
  }

  /**
   * Asks until Auto Scaling lists the instance. Rejects only when the signal aborts.
   * @param isInGroup whether the instance is known to be in a group, which Auto Scaling may list later
   * @param onAbsent called when Auto Scaling does not list the instance, for the first time
   */
  async await(isInGroup: () => boolean, options: RetryOptions, onAbsent = () => {}): Promise<Membership> {
    const { clock, signal, random, longestRetryMs = LONGEST_RETRY_MS } = options;
    for (let absences = 0; ; absences++) {
      const found = await retry('find the Auto Scaling group', (attempt) => this.find(attempt), options);
      if (found) return found;
      if (absences === 0) onAbsent();
      const longestMs = isInGroup() ? longestRetryMs : LONGEST_ABSENCE_RETRY_MS;
      await clock.sleep(backoffMs(absences, { firstMs: FIRST_RETRY_MS, longestMs, random }), signal);
    }
  }
}
