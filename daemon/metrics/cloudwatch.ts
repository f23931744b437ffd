import { hostname } from 'node:os';
import type { CloudWatchClient, MetricDatum } from '@aws-sdk/client-cloudwatch';
import { METRICS_NAMESPACE } from '../contract/metrics-namespace.ts';
import { errorFields, type Log } from '../log/log.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';
import { type Baseline, metricData } from './cloudwatch-data.ts';
import { InstanceMetrics } from './instance-metrics.ts';

const EVERY_MS: Millis = 60_000;
/** The next report carries the counts of one that failed. */
const ANSWER_TIMEOUT_MS: Millis = 20_000;
/** How long an exit waits for the last report. */
const LAST_TIMEOUT_MS: Millis = 5000;

export interface CloudWatchOptions {
  /** METRICS_STACK. */
  readonly stack: string;
  readonly metrics: InstanceMetrics;
  /** Sends the data in one request; throws when CloudWatch has not taken them. */
  readonly put: PutMetricData;
  /** The instance's id; rejects off EC2. */
  readonly instanceId: () => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

export type PutMetricData = (data: MetricDatum[], signal: AbortSignal) => Promise<void>;

/**
 * Tells CloudWatch once a minute how the instance does. What a request could not tell is in the next one; trouble is
 * logged once per spell and counted, and none of it reaches a call.
 */
export class CloudWatchReporter {
  readonly #options: CloudWatchOptions;
  readonly #cancel: Cancel;
  #since: Baseline;
  #instance: string | undefined;
  #reporting: Promise<void> | undefined;
  readonly #ending = new AbortController();
  #isFailing = false;

  /** Begins at once: a new instance counts among the stack's from its first moment. */
  constructor(options: CloudWatchOptions) {
    this.#options = options;
    this.#since = InstanceMetrics.nothingYet();
    this.#cancel = options.clock.every(EVERY_MS, () => void this.report());
    void this.report();
  }

  /** Sends what has come since the last time that this went well. Never rejects. */
  async report(): Promise<void> {
    // Two at a time would both send the same counts.
    this.#reporting ??= this.#send().finally(() => {
      this.#reporting = undefined;
    });
    await this.#reporting;
  }

  /** Sends what is left to tell, for as long as an exit may wait for that, and ends. */
  async stop(): Promise<void> {
    this.#cancel();
    const cancelTimeout = this.#options.clock.after(LAST_TIMEOUT_MS, () => this.#ending.abort());
    await this.#reporting;
    await this.report();
    cancelTimeout();
  }

  async #send(): Promise<void> {
    const { stack, metrics, put, clock, log } = this.#options;
    try {
      const now = await metrics.snapshot();
      const identity = { stack, instance: await this.#identify() };
      const data = metricData(now, this.#since, identity, new Date(clock.epoch()));
      const signal = AbortSignal.any([this.#ending.signal, clock.timeout(ANSWER_TIMEOUT_MS)]);
      // The SDK ignores the signal while it looks for credentials.
      await orAborted(put(data, signal), signal);
      this.#since = now;
    } catch (error) {
      metrics.cloudWatchPut('failed');
      if (this.#isFailing) return;
      this.#isFailing = true;
      const fields = { event: 'cloudwatch.failing', ...errorFields(error) };
      log.warn(fields, 'metrics do not reach CloudWatch: their counts wait for the next time; calls go on');
      return;
    }
    metrics.cloudWatchPut('ok');
    if (this.#isFailing) log.info({ event: 'cloudwatch.recovered' }, 'metrics reach CloudWatch again');
    this.#isFailing = false;
  }

  /** The instance's id; the host's name for as long as there is none to be had. */
  async #identify(): Promise<string> {
    try {
      this.#instance ??= await this.#options.instanceId();
      return this.#instance;
    } catch {
      // Off EC2, or the metadata service is in trouble, which the lifecycle has reported.
      return hostname();
    }
  }
}

/**
 * CloudWatch in `region` (or where that says, once it is known), with the SDK's own credentials and its own
 * AWS_ENDPOINT_URL_CLOUDWATCH. The SDK is loaded at the first request.
 */
export function connectCloudWatch(region: () => Promise<string>): PutMetricData {
  let client: CloudWatchClient | undefined;
  return async (data, signal) => {
    const sdk = await import('@aws-sdk/client-cloudwatch');
    // One attempt: the next minute's carries what this one could not.
    client ??= new sdk.CloudWatchClient({ region, maxAttempts: 1 });
    const command = new sdk.PutMetricDataCommand({ Namespace: METRICS_NAMESPACE, MetricData: data });
    await client.send(command, { abortSignal: signal });
  };
}
