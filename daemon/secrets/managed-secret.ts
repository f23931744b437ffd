import { errorFields, type RootLog } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Secret } from './secret.ts';
import { SecretRefused } from './secret-refused.ts';
import type { SecretVersion, Stage } from './secrets-manager.ts';

/** At startup only systemd waits, for 60 s. */
const OPEN_TIMEOUT_MS: Millis = 10_000;
/** A start request waits for it, and has 6 s in all. */
const RENEW_TIMEOUT_MS: Millis = 2000;
/** Anyone who reaches the port can trigger a read; a changed secret must still be noticed soon. */
const MIN_RENEW_INTERVAL_MS: Millis = 10_000;
/** Notices a changed secret even if nothing was refused. */
const RENEW_EVERY_MS: Millis = 5 * 60_000;
/**
 * Covers requests and checkpoints made with the previous value: both are at most five minutes old. Any longer would keep
 * a leaked value valid.
 */
export const PREVIOUS_VALID_MS: Millis = 15 * 60_000;

/** Reads one version of a secret. Throws SecretRefused. */
export type ReadSecret = (arn: string, stage: Stage, timeoutMs: Millis) => Promise<SecretVersion>;

interface ManagedSecretOptions {
  /** The setting that holds the ARN, for people. */
  readonly setting: string;
  readonly arn: string;
  /** What is wrong with a value; undefined when nothing is. Must not repeat the value. */
  readonly faultOf: (value: string) => string | undefined;
  /** What no log may contain of a value; all of it by default. */
  readonly secretsWithin?: (value: string) => readonly string[];
  /** How long a value is accepted after it was replaced. */
  readonly previousValidMs?: Millis;
  /** Accepts every value that was replaced in that time, not only the latest one. */
  readonly acceptsAllPrevious?: boolean;
  readonly read: ReadSecret;
  readonly clock: Clock;
  /** Learns the values, to mask them in every line. */
  readonly log: RootLog;
}

/** A secret in Secrets Manager: read at startup, every five minutes, and when its value is refused. */
export class ManagedSecret implements Secret {
  readonly setting: string;
  readonly arn: string;
  readonly #options: ManagedSecretOptions;
  #versions: Versions;
  /** Values that this process has seen replaced: Secrets Manager only labels the latest of them. */
  #replaced: readonly { readonly value: string; readonly atEpochMs: Millis }[] = [];
  /** The first refusal reads at once: the secret may have changed while the daemon started. */
  #renewedAtMs: Millis = -Infinity;
  #renewing: Promise<void> | undefined;
  #fault: string | undefined;

  /** Throws SecretRefused. */
  static async open(options: ManagedSecretOptions): Promise<ManagedSecret> {
    const secret = new ManagedSecret(options, await readVersions(options, OPEN_TIMEOUT_MS));
    options.clock.every(RENEW_EVERY_MS, () => void secret.renew());
    return secret;
  }

  private constructor(options: ManagedSecretOptions, versions: Versions) {
    this.setting = options.setting;
    this.arn = options.arn;
    this.#options = options;
    this.#versions = versions;
  }

  get current(): string {
    return this.#versions.current.value;
  }

  get accepted(): readonly string[] {
    const { current, previous } = this.#versions;
    const isPreviousValid = previous !== undefined && isRecent(current.createdAtEpochMs, this.#options);
    const replaced = this.#replaced.filter(({ atEpochMs }) => isRecent(atEpochMs, this.#options));
    return [...new Set([current.value, ...(isPreviousValid ? [previous] : []), ...replaced.map(({ value }) => value)])];
  }

  /** Why the last read failed; undefined when it succeeded. */
  get fault(): string | undefined {
    return this.#fault;
  }

  renew(): Promise<void> {
    const { clock } = this.#options;
    if (this.#renewing) return this.#renewing;
    if (clock.now() - this.#renewedAtMs < MIN_RENEW_INTERVAL_MS) return Promise.resolve();
    this.#renewing = this.#read().finally(() => {
      this.#renewedAtMs = clock.now();
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #read(): Promise<void> {
    const { setting, log } = this.#options;
    const before = this.current;
    try {
      this.#versions = await readVersions(this.#options, RENEW_TIMEOUT_MS);
      this.#fault = undefined;
      if (this.current === before) return;
      if (this.#options.acceptsAllPrevious) this.#replace(before);
      log.info({ event: 'secret.changed', setting }, 'using the new value of the secret');
    } catch (error) {
      this.#fault = (error as Error).message;
      const fields = { event: 'secret.unread', setting, ...errorFields(error) };
      log.warn(fields, 'could not read the secret again: still using the last value');
    }
  }

  #replace(value: string): void {
    const atEpochMs = this.#versions.current.createdAtEpochMs;
    const recent = this.#replaced.filter((one) => isRecent(one.atEpochMs, this.#options));
    this.#replaced = [...recent, { value, atEpochMs }];
  }
}

interface Versions {
  readonly current: SecretVersion;
  readonly previous: string | undefined;
}

async function readVersions(options: ManagedSecretOptions, timeoutMs: Millis): Promise<Versions> {
  const { arn, faultOf, secretsWithin = (value: string) => [value], read, log } = options;
  const current = await read(arn, 'AWSCURRENT', timeoutMs);
  log.redactor.learn(secretsWithin(current.value));
  const fault = faultOf(current.value);
  if (fault) throw new SecretRefused('secret-unusable', `the value of ${arn} ${fault}`);
  if (!isRecent(current.createdAtEpochMs, options)) return { current, previous: undefined };
  try {
    const { value: previous } = await read(arn, 'AWSPREVIOUS', timeoutMs);
    log.redactor.learn(secretsWithin(previous));
    return { current, previous };
  } catch (error) {
    // The secret has had only one value.
    if (error instanceof SecretRefused && error.fault === 'secret-empty') return { current, previous: undefined };
    throw error;
  }
}

/** True while a value that was replaced then is accepted. */
function isRecent(
  atEpochMs: Millis,
  { clock, previousValidMs = PREVIOUS_VALID_MS }: Pick<ManagedSecretOptions, 'clock' | 'previousValidMs'>,
): boolean {
  return clock.epoch() - atEpochMs < previousValidMs;
}
