import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { faultRules, PutRequest } from './api.ts';
import type { Datum } from './metric-data.ts';

/** The stand-in tells no news by itself; it is asked so often. */
const POLL_MS = 20;

/** The next requests that go wrong: one unless `times` says otherwise, all with null. */
export type FaultRule = z.input<typeof faultRules>[number];

/** The controls of a CloudWatch stand-in that listens at `url`. */
export class CloudWatchControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async addFaults(...faults: readonly FaultRule[]): Promise<void> {
    await this.#send('POST', 'faults', faults);
  }

  async clearFaults(): Promise<void> {
    await this.#send('DELETE', 'faults');
  }

  /** The requests so far, in the order of their arrival. */
  async requests(): Promise<PutRequest[]> {
    const response = await fetch(new URL('/standin/requests', this.url));
    return (await response.json()) as PutRequest[];
  }

  /** Waits until so many requests have come; gives them. */
  async requested(count: number): Promise<PutRequest[]> {
    for (;;) {
      const requests = await this.requests();
      if (requests.length >= count) return requests;
      await sleep(POLL_MS);
    }
  }

  /** What was taken of the metric under exactly these dimensions, oldest first. */
  async data(metricName: string, dimensions: Readonly<Record<string, string>>): Promise<Datum[]> {
    const data = (await this.requests()).flatMap(({ put }) => put?.MetricData ?? []);
    const wanted = JSON.stringify(Object.entries(dimensions));
    return data.filter(
      ({ MetricName, Dimensions }) =>
        MetricName === metricName && JSON.stringify(Dimensions.map(({ Name, Value }) => [Name, Value])) === wanted,
    );
  }

  async #send(method: string, path: string, body: unknown = {}): Promise<void> {
    const init = { method, body: JSON.stringify(body) };
    const response = await fetch(new URL(`/standin/${path}`, this.url), init);
    if (!response.ok) throw new Error(`${method} /standin/${path} was refused: ${await response.text()}`);
  }
}
