import type { Clock, Millis } from '../runtime/clock.ts';

/** As the SDK provides them: `forceRefresh` asks their source even if they have not expired. */
type CredentialsProvider = (options?: { forceRefresh?: boolean }) => Promise<{ readonly accessKeyId: string }>;

/** Node's codes for a connection that the other side has closed. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
/** The service does not know the credentials, or no longer. */
const OLD_CREDENTIALS = /ExpiredToken|UnrecognizedClient|InvalidClientTokenId/;
/** With thousands of calls the metadata service must not be asked for each of their refusals. */
const RENEW_EVERY_MS: Millis = 5000;

/**
 * Repeats a request once where its refusal has changed what the next one is signed with. A start has no time for more,
 * and would otherwise be refused for good: the first one after a boot with a wrong clock, or after the role's
 * credentials were replaced before their time.
 */
export class SecondAttempt {
  readonly #credentials: CredentialsProvider;
  readonly #clock: Clock;
  /** The last time that the credentials' source was asked, and whether it had others. */
  #renewal: { readonly atMs: Millis; readonly hasOthers: Promise<boolean> } | undefined;

  constructor(credentials: CredentialsProvider, clock: Clock) {
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /** Throws what the first attempt threw if a second one would be refused as well, else what the second one throws. */
  async send<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (!isClockCorrected(error) && !(await this.#hasOtherCredentials(error))) throw error;
      return request();
    }
  }

  #hasOtherCredentials(error: unknown): Promise<boolean> | false {
    if (!(error instanceof Error) || !OLD_CREDENTIALS.test(error.name)) return false;
    const nowMs = this.#clock.now();
    if (!this.#renewal || nowMs - this.#renewal.atMs >= RENEW_EVERY_MS) {
      this.#renewal = { atMs: nowMs, hasOthers: this.#renew() };
    }
    return this.#renewal.hasOthers;
  }

  async #renew(): Promise<boolean> {
    try {
      const { accessKeyId } = await this.#credentials();
      return (await this.#credentials({ forceRefresh: true })).accessKeyId !== accessKeyId;
    } catch {
      // The refusal says more than that its credentials cannot be replaced now.
      return false;
    }
  }
}

/** The SDK has learned from the refusal how far this machine's clock is off, and signs with the service's time now. */
function isClockCorrected(error: unknown): boolean {
  return (
    (error as { $metadata?: { clockSkewCorrected?: boolean } } | undefined)?.$metadata?.clockSkewCorrected === true
  );
}

/**
 * Sends a request, and once more if the connection broke before the response: the service may close a kept connection
 * just as it is used again, which says nothing about the next one.
 */
export async function onceMore<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return send();
  }
}
