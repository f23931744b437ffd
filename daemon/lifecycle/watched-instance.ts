import { errorFields } from '../log/log.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Millis } from '../runtime/clock.ts';
import { type Announcements, decide, NOTHING_ANNOUNCED } from './announcements.ts';
import type { Lifecycle, LifecycleOptions, LifecycleView } from './lifecycle.ts';
import { completeWait, hooksOf, isLaunching, type Membership } from './membership.ts';
import { MembershipLookup } from './membership-lookup.ts';
import { inBackground, type RetryOptions, retry } from './retry.ts';
import { Termination } from './termination.ts';
import { type MetadataSnapshot, watch } from './watch.ts';

/** Waiting longer is pointless: the hook's own time-out lets the instance go. */
const FINISH_TIMEOUT_MS: Millis = 30_000;

type InstanceState =
  | { readonly name: 'watching'; readonly announced: Announcements }
  | { readonly name: 'terminating'; readonly announced: Announcements; readonly termination: Termination }
  | { readonly name: 'finishing'; readonly announced: Announcements; readonly finished: Promise<void> };

/** An instance with a metadata service: watched from construction to `stop`. */
export class WatchedInstance implements Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #lookup: MembershipLookup;
  readonly #stopped = new AbortController();
  /** The place in the group at the start; pending until Auto Scaling has answered. */
  readonly #membership: Promise<Membership | undefined>;
  #state: InstanceState = { name: 'watching', announced: NOTHING_ANNOUNCED };

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#lookup = new MembershipLookup(options.metadata, options.autoScaling);
    this.#membership = this.#join();
    void this.#inBackground(this.#membership);
    void this.#inBackground(watch(options.metadata, (snapshot) => this.#react(snapshot), this.#background));
  }

  view(): LifecycleView {
    return { on: true, ...this.#lookup.view, state: this.#state.announced.targetState };
  }

  ready(): Promise<void> {
    return this.#inBackground(this.#enterService());
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

  async #join(): Promise<Membership | undefined> {
    const { log } = this.#options;
    const found = await retry('find the Auto Scaling group', (signal) => this.#lookup.find(signal), this.#background);
    const { instanceId } = this.#lookup.view;
    if (!found) {
      log.info({ event: 'lifecycle.on', instanceId }, 'watching the instance; it is in no Auto Scaling group');
      return undefined;
    }
    const { groupName, lifecycleState } = found.member;
    const hooks = found.hooks.map(({ name }) => name);
    log.info({ event: 'lifecycle.on', instanceId, groupName, lifecycleState, hooks }, 'watching the instance');
    return found;
  }

  async #enterService(): Promise<void> {
    const found = await this.#membership;
    if (!found || !isLaunching(found.member)) return;
    const { autoScaling } = this.#options;
    const hooks = hooksOf(found, 'launching');
    await Promise.all(hooks.map((hook) => completeWait(hook, found.member, autoScaling, this.#background)));
  }

  #react(snapshot: MetadataSnapshot): void {
    const state = this.#state;
    if (state.name === 'finishing') return;
    const { drain, clock, log, autoScaling, terminationMs } = this.#options;
    const decision = decide(snapshot, state.announced, clock.epoch(), terminationMs);
    const { announced } = decision;
    // If this throws, the state stays as it is and the next snapshot orders the drain again.
    if (decision.drain) drain.begin(decision.drain);
    if (announced.isRebalanceRecommended && !state.announced.isRebalanceRecommended) {
      const fields = { event: 'lifecycle.rebalance', noticeTime: snapshot.rebalanceNotice };
      log.info(fields, 'EC2 may reclaim this Spot instance');
    }
    if (announced.isTerminating && state.name === 'watching') {
      const termination = new Termination((signal) => this.#lookup.find(signal), autoScaling, this.#background);
      this.#enter({ name: 'terminating', announced, termination });
    } else this.#enter({ ...state, announced });
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
      const completed = termination.complete({ ...this.#options, signal: giveUp.signal });
      await orAborted(completed, giveUp.signal);
    } catch (error) {
      const message = 'could not complete the terminating hook: Auto Scaling waits until it times out';
      log.error({ event: 'lifecycle.unfinished', ...errorFields(error) }, message);
    } finally {
      cancel();
    }
  }
}
