import type { AutoScaling } from './auto-scaling.ts';
import type { LifecycleView } from './lifecycle.ts';
import { findMembership, hooksOf, type Membership } from './membership.ts';
import type { Metadata } from './metadata.ts';

/** Finds this instance's place in its group, and remembers it for operators. */
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

  /** One attempt; undefined when the instance is in no group. Hooks may change, so callers ask again when it matters. */
  async find(signal: AbortSignal): Promise<Membership | undefined> {
    this.#instanceId ??= await this.#metadata.instanceId();
    const found = await findMembership(this.#instanceId, this.#autoScaling, signal);
    this.#last = found ?? this.#last;
    return found;
  }
}
