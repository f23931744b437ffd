import type { Drainable } from '../admission/drain.ts';
import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { AutoScaling, LifecycleHook } from './auto-scaling.ts';
import type { Metadata } from './metadata.ts';

export interface LifecycleOptions {
  readonly metadata: Metadata;
  readonly autoScaling: AutoScaling;
  readonly drain: Pick<Drainable, 'begin'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly settings: {
    /** How long the running calls have when Auto Scaling takes the instance. */
    readonly defaultDeadlineMs: Millis;
  };
}

export interface LifecycleView {
  readonly on: boolean;
  readonly instanceId?: string;
  readonly groupName?: string;
  /** The group's hooks that make Auto Scaling wait for the running calls. */
  readonly terminatingHooks?: readonly LifecycleHook[];
  /** Auto Scaling's target for the instance, such as `InService`. */
  readonly state?: string;
}

/** What Auto Scaling and EC2 mean to do with this instance. Nothing of it throws or rejects. */
export interface Lifecycle {
  view(): LifecycleView;
  /** Lets a launching instance into service. Resolves when that is done, which no start needs to wait for. */
  ready(): Promise<void>;
  /** Lets a terminating instance go: to be called when drained, before the exit. Takes 30 s at the most. */
  finish(): Promise<void>;
  stop(): void;
}
