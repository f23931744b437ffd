import { errorFields } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import type { Lifecycle, LifecycleOptions, LifecycleView } from './lifecycle.ts';
import { completeWait, findMembership, hooksOf, isLaunching, type Membership } from './membership.ts';
import type { SpotAction } from './metadata.ts';
import { inBackground, type Persistence, persist } from './retry.ts';
import { Termination } from './termination.ts';
import { type MetadataSnapshot, watch } from './watch.ts';

/** What still runs is ended so long before EC2 takes a Spot instance: time for Deepgram's last results. */
const SPOT_MARGIN_MS: Millis = 20_000;
/** An exit that waits longer for Auto Scaling helps nobody: the hook's own time-out lets the instance go. */
const FINISH_TIMEOUT_MS: Millis = 30_000;
/** The metadata's word for an instance that is going. */
const TERMINATED = 'Terminated';

/** An instance that has metadata: watched from the construction to stop(). */
export class WatchedInstance implements Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #background: Persistence;
  readonly #stopped = new AbortController();
  /** The place in the group at the start; pending for as long as Auto Scaling has not told. */
  readonly #membership: Promise<Membership | undefined>;
  #view: LifecycleView = { on: true };
  #termination: Termination | undefined;
  #isSpotOrdered = false;
  #isRebalanceTold = false;
  #finished: Promise<void> | undefined;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#background = this.#until(this.#stopped.signal);
    this.#membership = this.#join();
    void inBackground(this.#membership, this.#background);
    void inBackground(
      watch(options.metadata, (sight) => this.#see(sight), this.#background),
      this.#background,
    );
  }

  view(): LifecycleView {
    return this.#view;
  }

  async ready(): Promise<void> {
    await inBackground(this.#enterService(), this.#background);
  }

  finish(): Promise<void> {
    this.#finished ??= this.#finishInTime();
    return this.#finished;
  }

  stop(): void {
    this.#stopped.abort();
    this.#options.autoScaling.close();
  }

  #until(signal: AbortSignal): Persistence {
    const { log, random } = this.#options;
    return { signal, log, random };
  }

  async #lookUp(signal: AbortSignal): Promise<Membership | undefined> {
    const { metadata, autoScaling } = this.#options;
    const instanceId = this.#view.instanceId ?? (await metadata.instanceId());
    this.#view = { ...this.#view, instanceId };
    const found = await findMembership(instanceId, autoScaling, signal);
    if (found) {
      const { groupName } = found.member;
      this.#view = { ...this.#view, groupName, terminatingHooks: hooksOf(found, 'terminating') };
    }
    return found;
  }

  async #join(): Promise<Membership | undefined> {
    const { log } = this.#options;
    const found = await persist('find the Auto Scaling group', (signal) => this.#lookUp(signal), this.#background);
    const { instanceId } = this.#view;
    if (!found) {
      log.info({ event: 'lifecycle.on', instanceId }, 'the instance is watched; it is in no Auto Scaling group');
      return undefined;
    }
    const { groupName, lifecycleState } = found.member;
    const hooks = found.hooks.map(({ name }) => name);
    log.info({ event: 'lifecycle.on', instanceId, groupName, lifecycleState, hooks }, 'the instance is watched');
    return found;
  }

  async #enterService(): Promise<void> {
    const found = await this.#membership;
    if (!found || !isLaunching(found.member)) return;
    const { autoScaling } = this.#options;
    const hooks = hooksOf(found, 'launching');
    await Promise.all(hooks.map((hook) => completeWait(hook, found.member, autoScaling, this.#background)));
  }

  #see({ targetState, spotAction, rebalanceNotice }: MetadataSnapshot): void {
    const { log } = this.#options;
    if (targetState !== undefined) this.#view = { ...this.#view, state: targetState };
    if (rebalanceNotice !== undefined && !this.#isRebalanceTold) {
      this.#isRebalanceTold = true;
      log.info({ event: 'lifecycle.rebalance', noticeTime: rebalanceNotice }, 'EC2 may take this Spot instance back');
    }
    // Where both are to be seen, Spot's deadline is the sooner one.
    if (spotAction && !this.#isSpotOrdered) this.#drainForSpot(spotAction);
    if (targetState === TERMINATED && !this.#termination) this.#drainForAutoScaling();
  }

  #drainForSpot({ action, atEpochMs }: SpotAction): void {
    const reason = `Spot: ${action} at ${new Date(atEpochMs).toISOString()}`;
    this.#options.drain.begin({ source: 'spot', reason, deadlineAtEpochMs: atEpochMs - SPOT_MARGIN_MS });
    this.#isSpotOrdered = true;
  }

  #drainForAutoScaling(): void {
    const { drain, clock, settings, autoScaling } = this.#options;
    const deadlineAtEpochMs = clock.epoch() + settings.defaultDeadlineMs;
    const reason = 'Auto Scaling terminates this instance';
    if (!this.#isSpotOrdered) drain.begin({ source: 'lifecycle', reason, deadlineAtEpochMs });
    this.#termination = new Termination((signal) => this.#lookUp(signal), autoScaling, this.#background);
  }

  async #finishInTime(): Promise<void> {
    const { log } = this.#options;
    const trying = new AbortController();
    const late = Promise.withResolvers<never>();
    // Unlike the pauses between attempts, this keeps the process alive until all is done.
    const timer = setTimeout(() => {
      late.reject(new Error(`Auto Scaling could not be told within ${FINISH_TIMEOUT_MS} ms`));
    }, FINISH_TIMEOUT_MS);
    try {
      await Promise.race([this.#termination?.complete(this.#until(trying.signal)), late.promise]);
    } catch (error) {
      const message = 'Auto Scaling goes on when the time-out of its hook is over';
      log.error({ event: 'lifecycle.unfinished', ...errorFields(error) }, message);
    } finally {
      clearTimeout(timer);
      trying.abort();
    }
  }
}
