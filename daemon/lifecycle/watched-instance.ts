import { errorFields } from '../log/log.ts';
import { orAborted } from '../runtime/abort.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Millis } from '../runtime/clock.ts';
import { type Announcements, decide, leavesWarmPool, NOTHING_ANNOUNCED } from './announcements.ts';
import type { Lifecycle, LifecycleOptions, LifecycleView } from './lifecycle.ts';
import type { MaintenanceEvent } from './maintenance.ts';
import { completeWait, hooksOf, isLaunching, type Membership } from './membership.ts';
import { MembershipLookup } from './membership-lookup.ts';
import { FIRST_RETRY_MS, inBackground, LONGEST_RETRY_MS, type RetryOptions } from './retry.ts';
import { Termination } from './termination.ts';
import { type MetadataSnapshot, watch } from './watch.ts';

/** Waiting longer is pointless: the hook's own time-out lets the instance go. */
const FINISH_TIMEOUT_MS: Millis = 30_000;
/** Leaves several attempts before the one above. */
const LONGEST_FINISH_RETRY_MS: Millis = 5000;
/** How often an instance that leaves its warm pool asks whether it has left. */
const WARM_POOL_POLL_MS: Millis = 5000;
const READY_IN_WARM_POOL = /^Warmed:(Running|Stopped|Hibernated)$/;

type InstanceState =
  | { readonly name: 'watching'; readonly announced: Announcements }
  | { readonly name: 'terminating'; readonly announced: Announcements; readonly termination: Termination }
  | { readonly name: 'finishing'; readonly announced: Announcements; readonly finished: Promise<void> };

/** An instance that has a metadata service or may have one: watched from construction to `stop`. */
export class WatchedInstance implements Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #lookup: MembershipLookup;
  readonly #stopped = new AbortController();
  /** The place in the group at the start; pending until Auto Scaling has answered. */
  readonly #membership: Promise<Membership>;
  #isReady = false;
  #fault: string | undefined;
  #state: InstanceState = { name: 'watching', announced: NOTHING_ANNOUNCED };

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#lookup = new MembershipLookup(options.metadata, options.autoScaling);
    this.#membership = this.#join();
    void this.#inBackground(this.#membership);
    const react = (snapshot: MetadataSnapshot, fault: string | undefined) => {
      this.#fault = fault;
      this.#react(snapshot);
    };
    void this.#inBackground(watch(options.metadata, react, this.#background));
  }

  view(): LifecycleView {
    return { on: true, fault: this.#fault, ...this.#lookup.view, state: this.#state.announced.targetState };
  }

  ready(): Promise<void> {
    this.#isReady = true;
    return this.#inBackground(this.#membership.then((found) => this.#completeLaunch(found)));
  }

  finish(): Promise<void> {
    const state = this.#state;
    if (state.name === 'finishing') return state.finished;
    const finished = state.name === 'terminating' ? this.#completeInTime(state.termination) : Promise.resolve();
    this.#enter({ name: 'finishing', announced: state.announced, finished });
    return finished;
  }

  stop(): void {
    this.#stopped.abort();
    this.#options.autoScaling.close();
  }

  get #background(): RetryOptions {
    return { ...this.#options, signal: this.#stopped.signal };
  }

  #inBackground(work: Promise<unknown>): Promise<void> {
    return inBackground(work, this.#background);
  }

  async #join(): Promise<Membership> {
    const { log } = this.#options;
    const instanceId = await this.#identify();
    const found = await this.#lookup.await(this.#isInGroup, this.#background, () => {
      const message = this.#isInGroup()
        ? 'Auto Scaling does not list this instance yet: asking again'
        : 'watching the instance; it is in no Auto Scaling group';
      log.info({ event: 'lifecycle.no-group', instanceId }, message);
    });
    const { groupName, lifecycleState } = found.member;
    const hooks = found.hooks.map(({ name }) => name);
    log.info({ event: 'lifecycle.on', instanceId, groupName, lifecycleState, hooks }, 'watching the instance');
    return found;
  }

  /** Asks for the instance's id until the metadata service responds; the watch logs failures. */
  async #identify(): Promise<string> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopped;
    for (let failures = 0; ; failures++) {
      try {
        return await this.#lookup.identify();
      } catch {
        const backoff = { firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS, random };
        await clock.sleep(backoffMs(failures, backoff), signal);
      }
    }
  }

  /** Only an instance in a group has a target state. */
  readonly #isInGroup = (): boolean => this.#state.announced.targetState !== undefined;

  readonly #findInGroup = (options: RetryOptions): Promise<Membership> => this.#lookup.await(() => true, options);

  async #completeLaunch(found: Membership): Promise<void> {
    if (!isLaunching(found.member)) return;
    const { autoScaling } = this.#options;
    const hooks = hooksOf(found, 'launching');
    await Promise.all(hooks.map((hook) => completeWait(hook, found.member, autoScaling, this.#background)));
  }

  /** Completes the launching hooks that an instance meets a second time, when it leaves the warm pool. */
  async #leaveWarmPool(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const found = await this.#findInGroup(this.#background);
      if (!READY_IN_WARM_POOL.test(found.member.lifecycleState)) return this.#completeLaunch(found);
      await clock.sleep(WARM_POOL_POLL_MS, this.#stopped.signal);
    }
  }

  #react(snapshot: MetadataSnapshot): void {
    const state = this.#state;
    if (state.name === 'finishing') return;
    const { drain, clock, autoScaling } = this.#options;
    const decision = decide(snapshot, state.announced, clock.epoch(), this.#options);
    const { announced } = decision;
    // If one of these throws, the state stays as it is and the next snapshot orders the same again.
    for (const order of decision.drains) drain.begin(order);
    if (decision.withdrawsMaintenance) drain.withdraw('maintenance');
    this.#report(snapshot, announced, state.announced);
    if (this.#isReady && leavesWarmPool(announced, state.announced)) void this.#inBackground(this.#leaveWarmPool());
    if (announced.isTerminating && state.name === 'watching') {
      const termination = new Termination(this.#findInGroup, autoScaling, this.#background);
      this.#enter({ name: 'terminating', announced, termination });
    } else this.#enter({ ...state, announced });
  }

  /** Logs new announcements for which no drain is due yet. */
  #report({ rebalanceNotice }: MetadataSnapshot, now: Announcements, before: Announcements): void {
    const { log, maintenanceLeadMs } = this.#options;
    if (now.isRebalanceRecommended && !before.isRebalanceRecommended) {
      log.info({ event: 'lifecycle.rebalance', noticeTime: rebalanceNotice }, 'EC2 may reclaim this Spot instance');
    }
    if (now.maintenance && !isSameEvent(now.maintenance, before.maintenance)) {
      const { eventId, code, notBeforeEpochMs } = now.maintenance;
      const notBefore = new Date(notBeforeEpochMs).toISOString();
      const drainsAt = new Date(notBeforeEpochMs - maintenanceLeadMs).toISOString();
      const fields = { event: 'lifecycle.maintenance', eventId, code, notBefore, drainsAt };
      log.warn(fields, 'EC2 has scheduled maintenance: the instance drains before it');
    }
    if (before.maintenance && !now.maintenance) {
      const { eventId, code } = before.maintenance;
      log.info({ event: 'lifecycle.maintenance-over', eventId, code }, 'no scheduled maintenance any more');
    }
  }

  #enter(state: InstanceState): void {
    this.#state = state;
  }

  async #completeInTime(termination: Termination): Promise<void> {
    const { clock, log } = this.#options;
    const giveUp = new AbortController();
    const cancel = clock.after(FINISH_TIMEOUT_MS, () => {
      giveUp.abort(new Error(`Auto Scaling did not respond within ${FINISH_TIMEOUT_MS} ms`));
    });
    try {
      const completed = termination.complete({
        ...this.#options,
        signal: giveUp.signal,
        longestRetryMs: LONGEST_FINISH_RETRY_MS,
      });
      await orAborted(completed, giveUp.signal);
    } catch (error) {
      const message = 'could not complete the terminating hook: Auto Scaling waits until it times out';
      log.error({ event: 'lifecycle.unfinished', ...errorFields(error) }, message);
    } finally {
      cancel();
    }
  }
}

function isSameEvent(one: MaintenanceEvent, other: MaintenanceEvent | undefined): boolean {
  return one.eventId === other?.eventId && one.notBeforeEpochMs === other.notBeforeEpochMs;
}
