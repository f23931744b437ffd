import type { z } from 'zod';
import { readRecorded, sendOrder } from '../control-client.ts';
import type { faultRules, SecretRequest } from './api.ts';
import type { secretOrder } from './vault.ts';

/** A secret's content, or changes to it. */
export type SecretOrder = z.input<typeof secretOrder>;

/** Controls a Secrets Manager simulator that listens at `url` and serves secrets of `region`. */
export class SecretsManagerControl {
  readonly url: string;
  readonly #region: string;

  constructor(url: string, region = 'us-east-1') {
    this.url = url;
    this.#region = region;
  }

  /** The ARN of a secret, whether it exists or not. */
  arn(name: string): string {
    return `arn:aws:secretsmanager:${this.#region}:123456789012:secret:${name}-AbCdEf`;
  }

  /** Creates or changes a secret; returns its ARN. */
  async put(name: string, order: SecretOrder = {}): Promise<string> {
    await sendOrder(this.url, `secrets/${name}`, order);
    return this.arn(name);
  }

  /** Replaces the faults. */
  async setFaults(...faults: z.input<typeof faultRules>): Promise<void> {
    await sendOrder(this.url, 'faults', faults);
  }

  /** All requests so far, oldest first. */
  requests(): Promise<SecretRequest[]> {
    return readRecorded(this.url, 'requests');
  }
}
