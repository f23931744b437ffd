import { errorFields, type RootLog } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Secret } from './secret.ts';
import { SecretRefused } from './secret-refused.ts';
import { readSecret, type SecretVersion } from './secrets-manager.ts';

/** At the start of the daemon: nothing waits for it but systemd, for 60 s. */
const OPEN_TIMEOUT_MS: Millis = 10_000;
/** A start waits for it, and has 6 s for all that it does. */
const RENEW_TIMEOUT_MS: Millis = 2000;
/** Whoever reaches the port can make us look; a changed secret must not fail starts for long because somebody does. */
const LEAST_BETWEEN_LOOKS_MS: Millis = 10_000;
/** A changed secret is known so soon even if nothing was refused. */
const LOOK_EVERY_MS: Millis = 5 * 60_000;
/** A trigger may sign with the value before for five minutes, a checkpoint be as old; longer would keep a leaked one alive. */
const PREVIOUS_COUNTS_MS: Millis = 15 * 60_000;

export interface ManagedSecretOptions {
  /** The setting that has the ARN, for people. */
  readonly setting: string;
  readonly arn: string;
  /** What is wrong with a value; undefined when nothing is. Must not repeat it. */
  readonly faultOf: (value: string) => string | undefined;
  readonly clock: Clock;
  /** Learns the values, to keep them out of all lines. */
  readonly log: RootLog;
}

/** A secret in Secrets Manager: read at the start, again every five minutes, and when the value is refused. */
export class ManagedSecret implements Secret {
  readonly setting: string;
  readonly arn: string;
  readonly #options: ManagedSecretOptions;
  #current: SecretVersion;
  #previous: string | undefined;
  /** The first refusal after a start looks at once: the secret may have been changed while the daemon started. */
  #lookedAtMs: Millis = -Infinity;
  #looking: Promise<void> | undefined;
  /** Why the last look failed. */
  #fault: string | undefined;

  /** Throws SecretRefused. */
  static async open(options: ManagedSecretOptions): Promise<ManagedSecret> {
    const secret = new ManagedSecret(options, await versions(options, OPEN_TIMEOUT_MS));
    setInterval(() => secret.renew(), LOOK_EVERY_MS).unref();
    return secret;
  }

  private constructor(options: ManagedSecretOptions, { current, previous }: Versions) {
    this.setting = options.setting;
    this.arn = options.arn;
    this.#options = options;
    this.#current = current;
    this.#previous = previous;
  }

  get current(): string {
    return this.#current.value;
  }

  get accepted(): readonly string[] {
    const previous = previousCounts(this.#current, this.#options.clock) ? this.#previous : undefined;
    return previous === undefined ? [this.current] : [this.current, previous];
  }

  /** Why what is known may be out of date; undefined when the last look was answered. */
  get fault(): string | undefined {
    return this.#fault;
  }

  renew(): Promise<void> {
    const { clock } = this.#options;
    if (this.#looking) return this.#looking;
    if (clock.now() - this.#lookedAtMs < LEAST_BETWEEN_LOOKS_MS) return Promise.resolve();
    this.#looking = this.#look().finally(() => {
      this.#lookedAtMs = clock.now();
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { setting, log } = this.#options;
    try {
      const { current, previous } = await versions(this.#options, RENEW_TIMEOUT_MS);
      const hasChanged = current.value !== this.#current.value;
      this.#current = current;
      this.#previous = previous;
      this.#fault = undefined;
      if (hasChanged) log.info({ event: 'secret.changed', setting }, 'a secret was changed: the new value counts');
    } catch (error) {
      this.#fault = (error as Error).message;
      log.warn({ event: 'secret.unread', setting, ...errorFields(error) }, 'the secret as it was known still counts');
    }
  }
}

interface Versions {
  readonly current: SecretVersion;
  readonly previous: string | undefined;
}

async function versions({ arn, faultOf, clock, log }: ManagedSecretOptions, timeoutMs: Millis): Promise<Versions> {
  const current = await readSecret(arn, 'AWSCURRENT', timeoutMs);
  log.redactor.learn([current.value]);
  const fault = faultOf(current.value);
  if (fault) throw new SecretRefused('secret-unusable', `the value of ${arn} ${fault}`);
  if (!previousCounts(current, clock)) return { current, previous: undefined };
  try {
    const { value: previous } = await readSecret(arn, 'AWSPREVIOUS', timeoutMs);
    log.redactor.learn([previous]);
    return { current, previous };
  } catch (error) {
    // A secret that has had one value only.
    if (error instanceof SecretRefused && error.fault === 'secret-empty') return { current, previous: undefined };
    throw error;
  }
}

function previousCounts({ createdAtEpochMs }: SecretVersion, clock: Clock): boolean {
  return clock.epoch() - createdAtEpochMs < PREVIOUS_COUNTS_MS;
}
