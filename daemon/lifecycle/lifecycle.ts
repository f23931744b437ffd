import type { Drainable } from '../admission/drain.ts';
import { errorFields, type Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { AutoScaling, LifecycleHook } from './auto-scaling.ts';
import { type Metadata, MetadataRefused, MetadataUnavailable } from './metadata.ts';
import { WatchedInstance } from './watched-instance.ts';

/** One lost packet must not switch it off for good; a start off EC2 must not take long (1 s each). */
const FIRST_QUESTIONS = 2;

export interface LifecycleOptions {
  readonly metadata: Metadata;
  readonly autoScaling: AutoScaling;
  readonly drain: Drainable;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly settings: {
    /** Whether the instance is protected from scale-in while sessions run; then nobody else should set that. */
    readonly scaleInProtection: boolean;
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

const OFF: Lifecycle = {
  view: () => ({ on: false }),
  ready: async () => {},
  finish: async () => {},
  stop: () => {},
};

/** Begins to watch over the instance; off EC2 there is nothing to watch. Never rejects. */
export async function startLifecycle(options: LifecycleOptions): Promise<Lifecycle> {
  const absence = await absenceOf(options.metadata);
  if (!absence) return new WatchedInstance(options);
  options.log.info(
    { event: 'lifecycle.off', ...errorFields(absence) },
    'no instance metadata: only signals drain here',
  );
  return OFF;
}

/** Why there is nothing to watch; undefined when there is, even if it is in trouble now. */
async function absenceOf(metadata: Metadata): Promise<Error | undefined> {
  for (let question = 1; ; question++) {
    try {
      await metadata.instanceId();
      return undefined;
    } catch (error) {
      if (error instanceof MetadataRefused && error.status < 500) return error;
      if (!(error instanceof MetadataUnavailable)) return undefined;
      if (question === FIRST_QUESTIONS) return error;
    }
  }
}
