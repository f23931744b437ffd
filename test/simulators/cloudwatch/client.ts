import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { faultRules, PutRequest } from './api.ts';
import type { Datum } from './metric-data.ts';

/** The simulator does not push events, so it is polled. */
const POLL_MS = 20;

/** Requests that fail: the next one, the next `times`, or all with null. */
type FaultRule = z.input<typeof faultRules>[number];

/** Controls a CloudWatch simulator that listens at `url`. */
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

  /** All requests so far, oldest first. */
  async requests(): Promise<PutRequest[]> {
    const response = await fetch(new URL('/simulator/requests', this.url));
    return (await response.json()) as PutRequest[];
  }

  /** Waits for `count` requests; returns them. */
  async requested(count: number): Promise<PutRequest[]> {
    for (;;) {
      const requests = await this.requests();
      if (requests.length >= count) return requests;
      await sleep(POLL_MS);
    }
  }

  /** Accepted data of the metric with exactly these dimensions, oldest first. */
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
    const response = await fetch(new URL(`/simulator/${path}`, this.url), init);
    if (!response.ok) throw new Error(`${method} /simulator/${path} was refused: ${await response.text()}`);
  }
}
