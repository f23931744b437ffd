import { SessionManager } from '../../daemon/admission/manager.ts';
import { DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { refusal } from '../../daemon/http/answer.ts';
import type { HostedOutcome, HostedSession, SessionHost } from '../../daemon/threads/host.ts';
import { StartTimedOut } from '../../daemon/threads/host.ts';
import { outcomeOfResponse } from '../../trigger/outcome.ts';
import { deadlineOf, RETRY_POLICY, retryDelayMs } from '../../trigger/retry-policy.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { requestOf } from '../support/session-builders.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

/** Time for Kinesis and Deepgram to answer a start. */
const START_MS = 350;
/** START_TIMEOUT_MS. */
const START_TIMEOUT_MS = 6000;

export type Algorithm = 'weighted_random' | 'round_robin' | 'least_outstanding_requests';
/** `refused`: connections to Deepgram are refused; `no-route`: packets disappear. */
type Network = 'open' | 'refused' | 'no-route';

interface InstanceOptions {
  readonly clock: VirtualClock;
  readonly maxSessions: number;
  readonly healthLagMs: number;
  readonly callMs: number;
}

/** The daemon's own admission, before Kinesis and Deepgram that a test can cut off. */
export class ModeledInstance {
  network: Network = 'open';
  readonly manager: SessionManager;
  readonly #clock: VirtualClock;
  readonly #callMs: number;

  constructor({ clock, maxSessions, healthLagMs, callMs }: InstanceOptions) {
    this.#clock = clock;
    this.#callMs = callMs;
    const { log } = recordedLog();
    const host: SessionHost = {
      start: (_seed, timeoutMs) => this.#start(timeoutMs),
      resume: () => Promise.reject(new Error('nothing to resume')),
      views: async () => [],
      details: async () => undefined,
      settleResults: async () => {},
      hurryResults: () => {},
    };
    const probe = (signal: AbortSignal) => this.#connect(signal);
    const metrics = { sessionFailed: () => {} };
    this.manager = new SessionManager(
      { host, clock, log, metrics, checkpoints: undefined, probe },
      { maxSessions, healthLagMs },
    );
  }

  async #start(timeoutMs: number): Promise<HostedSession> {
    const timeout = new AbortController();
    const cancel = this.#clock.after(timeoutMs, () => timeout.abort(new StartTimedOut('no answer')));
    await this.#connect(timeout.signal).finally(cancel);
    await this.#clock.sleep(START_MS);
    const ended = this.#clock
      .sleep(this.#callMs)
      .then((): HostedOutcome => ({ name: 'completed', reason: 'no-more-fragments' }));
    return { ending: ended.then(() => {}), ended, stop: () => {} };
  }

  async #connect(signal: AbortSignal): Promise<void> {
    if (this.network === 'refused') throw new DeepgramUnreachable('api.deepgram.com', new Error('ECONNREFUSED'));
    if (this.network === 'open') return;
    await new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => {
        const { reason } = signal;
        reject(reason instanceof StartTimedOut ? reason : new DeepgramUnreachable('api.deepgram.com', reason));
      }),
    );
  }
}

interface Target {
  readonly instance: ModeledInstance;
  /** Consecutive checks with the same outcome: positive passed, negative failed. */
  streak: number;
  isHealthy: boolean;
  outstanding: number;
}

interface BalancerOptions {
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly algorithm: Algorithm;
  readonly checkEveryMs: number;
  /** Consecutive checks that change a target's health. */
  readonly threshold: number;
}

/**
 * An application load balancer by AWS's documentation: health checks that change a target's state after `threshold`
 * equal outcomes, and all targets while none is healthy. Each zone has a node with a turn of its own; DNS picks the
 * node. Anomaly mitigation is left out: AWS does not publish what it does, and it needs three targets.
 */
export class ModeledBalancer {
  readonly targets: readonly Target[];
  readonly #options: BalancerOptions;
  readonly #turns = [0, 0];

  constructor(instances: readonly ModeledInstance[], options: BalancerOptions) {
    this.#options = options;
    this.targets = instances.map((instance) => ({ instance, streak: 0, isHealthy: true, outstanding: 0 }));
    options.clock.every(options.checkEveryMs, () => {
      for (const target of this.targets) this.#check(target);
    });
  }

  /** The target of the next request. */
  choose(): Target {
    const { random, algorithm } = this.#options;
    const healthy = this.targets.filter(({ isHealthy }) => isHealthy);
    const all = healthy.length > 0 ? healthy : this.targets;
    const at = (list: readonly Target[], index: number) => list[index % list.length] as Target;
    if (algorithm === 'weighted_random') return at(all, Math.floor(random() * all.length));
    if (algorithm === 'round_robin') {
      const node = Math.floor(random() * this.#turns.length);
      const turn = this.#turns[node] ?? 0;
      this.#turns[node] = turn + 1;
      return at(all, turn);
    }
    const least = Math.min(...all.map(({ outstanding }) => outstanding));
    const idle = all.filter(({ outstanding }) => outstanding === least);
    return at(idle, Math.floor(random() * idle.length));
  }

  #check(target: Target): void {
    const { manager } = target.instance;
    const passed = manager.admission.healthStatus(manager.size) === undefined;
    target.streak = passed ? Math.max(0, target.streak) + 1 : Math.min(0, target.streak) - 1;
    if (Math.abs(target.streak) >= this.#options.threshold) target.isHealthy = passed;
  }
}

/** One invocation of the trigger: its own retries, and its own reading of the daemon's responses. True if a session started. */
export async function trigger(
  contactId: string,
  balancer: ModeledBalancer,
  clock: VirtualClock,
  random: () => number,
): Promise<boolean> {
  const deadlineMs = deadlineOf(clock.now());
  for (let attempt = 1; ; attempt++) {
    const target = balancer.choose();
    target.outstanding++;
    const leftMs = deadlineMs - clock.now() - RETRY_POLICY.responseMarginMs;
    const response = await target.instance.manager
      .start(requestOf(contactId), Math.min(START_TIMEOUT_MS, leftMs))
      .then((started) => ({ status: 200, body: { ...started }, headers: {} }), refusal);
    target.outstanding--;
    const retryAfter = (response.headers as Record<string, string> | undefined)?.['retry-after'];
    const outcome = outcomeOfResponse(
      { status: response.status, retryAfter, body: JSON.stringify(response.body) },
      'http://balancer',
    );
    if ('session' in outcome) return true;
    const { retry, retryAfterMs, isOfInstance } = outcome;
    const delayMs = retry
      ? retryDelayMs(attempt, { retryAfterMs, isOfInstance, leftMs: deadlineMs - clock.now(), random })
      : undefined;
    if (delayMs === undefined) return false;
    await clock.sleep(delayMs);
  }
}
