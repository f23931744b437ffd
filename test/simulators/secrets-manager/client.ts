import type { z } from 'zod';
import type { faultRules, SecretRequest } from './api.ts';
import type { secretOrder } from './vault.ts';

/** What a test puts into a secret, or changes of it. */
export type SecretOrder = z.input<typeof secretOrder>;

/** The controls of a Secrets Manager stand-in that listens at `url`, and serves secrets of `region`. */
export class SecretsManagerControl {
  readonly url: string;
  readonly #region: string;

  constructor(url: string, region = 'us-east-1') {
    this.url = url;
    this.#region = region;
  }

  /** The ARN of the secret of that name, whether it exists or not. */
  arn(name: string): string {
    return `arn:aws:secretsmanager:${this.#region}:123456789012:secret:${name}-AbCdEf`;
  }

  /** Makes or changes the secret; gives its ARN. */
  async put(name: string, order: SecretOrder = {}): Promise<string> {
    await this.#send(`secrets/${name}`, order);
    return this.arn(name);
  }

  /** Replaces what is to go wrong with the next requests. */
  async setFaults(...faults: z.input<typeof faultRules>): Promise<void> {
    await this.#send('faults', faults);
  }

  /** The requests so far, in the order of their arrival. */
  async requests(): Promise<SecretRequest[]> {
    const response = await fetch(new URL('/standin/requests', this.url));
    return (await response.json()) as SecretRequest[];
  }

  async #send(path: string, body: unknown): Promise<void> {
    const response = await fetch(new URL(`/standin/${path}`, this.url), { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST /standin/${path} was refused: ${await response.text()}`);
  }
}
