import { setTimeout as sleep } from 'node:timers/promises';
import { readRecorded } from '../control-client.ts';
import type { PutRequest } from './api.ts';
import type { Datum } from './metric-data.ts';

/** The simulator does not push events, so it is polled. */
const POLL_MS = 20;

/** Controls a CloudWatch simulator that listens at `url`. */
export class CloudWatchControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** All requests so far, oldest first. */
  requests(): Promise<PutRequest[]> {
    return readRecorded(this.url, 'requests');
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
}
