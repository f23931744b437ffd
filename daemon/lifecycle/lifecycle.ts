import type { Drainable } from '../admission/drain.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../runtime/clock.ts';
import type { DrainTimes } from './announcements.ts';
import type { AutoScaling, LifecycleHook } from './auto-scaling.ts';
import type { Metadata } from './metadata.ts';

export interface LifecycleOptions extends DrainTimes {
  readonly metadata: Metadata;
  readonly autoScaling: AutoScaling;
  readonly drain: Pick<Drainable, 'begin' | 'withdraw'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

export interface LifecycleView {
  /** False only where there is certainly no metadata service. */
  readonly on: boolean;
  /** Why the metadata cannot be read now; undefined while it can. */
  readonly fault?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly groupName?: string | undefined;
  /** The group's hooks that make Auto Scaling wait for running calls. */
  readonly terminatingHooks?: readonly LifecycleHook[] | undefined;
  /** Auto Scaling's target for the instance, such as `InService`. */
  readonly state?: string | undefined;
}

/** What Auto Scaling and EC2 plan for this instance. No method throws or rejects. */
export interface Lifecycle {
  view(): LifecycleView;
  /** Completes the launching hook. No start request has to wait for it. */
  ready(): Promise<void>;
  /** Completes the terminating hook, within 30 s. Call it when drained, before exiting. */
  finish(): Promise<void>;
  stop(): void;
}
