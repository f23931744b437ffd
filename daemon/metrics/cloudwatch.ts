import { hostname } from 'node:os';
import type { CloudWatchClient, MetricDatum } from '@aws-sdk/client-cloudwatch';
import { METRICS_NAMESPACE } from '../contract/metrics-namespace.ts';
import { errorFields, type Log } from '../log/log.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';
import { Egress } from '../runtime/egress.ts';
import { type Baseline, metricData } from './cloudwatch-data.ts';
import { InstanceMetrics } from './instance-metrics.ts';

const EVERY_MS: Millis = 60_000;
/** The next report carries the counts of one that failed. */
const RESPONSE_TIMEOUT_MS: Millis = 20_000;
/** How long an exit waits for the last report. */
const LAST_TIMEOUT_MS: Millis = 5000;

interface CloudWatchOptions {
  /** METRICS_STACK. */
  readonly stack: string;
  readonly metrics: InstanceMetrics;
  /** Sends the data in one request; throws when CloudWatch did not accept it. */
  readonly put: PutMetricData;
  /** The instance's id; rejects off EC2. */
  readonly instanceId: () => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

export type PutMetricData = (data: MetricDatum[], signal: AbortSignal) => Promise<void>;

/**
 * Reports the instance's metrics to CloudWatch every minute. The next report also carries the counts of one that failed.
 * An outage is logged once, counted, and never affects a call.
 */
export class CloudWatchReporter {
  readonly #options: CloudWatchOptions;
  readonly #cancel: Cancel;
  #since: Baseline;
  #instance: string | undefined;
  #reporting: Promise<void> | undefined;
  readonly #ending = new AbortController();
  #isFailing = false;

  /** Sends the first report at once, so that a new instance counts from the start. */
  constructor(options: CloudWatchOptions) {
    this.#options = options;
    this.#since = InstanceMetrics.nothingYet();
    this.#cancel = options.clock.every(EVERY_MS, () => void this.report());
    void this.report();
  }

  /** Sends what was counted since the last report that succeeded. Never rejects. */
  async report(): Promise<void> {
    // Concurrent reports would send the same counts twice.
    this.#reporting ??= this.#send().finally(() => {
      this.#reporting = undefined;
    });
    await this.#reporting;
  }

  /** Sends a last report, for as long as an exit may wait, and stops. */
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
      const signal = AbortSignal.any([this.#ending.signal, clock.timeout(RESPONSE_TIMEOUT_MS)]);
      // The SDK ignores the signal while it looks for credentials.
      await orAborted(put(data, signal), signal);
      this.#since = now;
    } catch (error) {
      metrics.cloudWatchPut('failed');
      if (this.#isFailing) return;
      this.#isFailing = true;
      const fields = { event: 'cloudwatch.failing', ...errorFields(error) };
      log.warn(fields, 'could not report to CloudWatch: the next report carries these counts; calls are not affected');
      return;
    }
    metrics.cloudWatchPut('ok');
    if (this.#isFailing) log.info({ event: 'cloudwatch.recovered' }, 'reporting to CloudWatch again');
    this.#isFailing = false;
  }

  /** The instance id, or the host name while that is unknown. */
  async #identify(): Promise<string> {
    try {
      this.#instance ??= await this.#options.instanceId();
      return this.#instance;
    } catch {
      // Off EC2, or the metadata service fails, which the lifecycle logs.
      return hostname();
    }
  }
}

/**
 * Connects to CloudWatch in `region`, which is resolved on the first request, with the SDK's default credentials and
 * AWS_ENDPOINT_URL_CLOUDWATCH. Loads the SDK on the first request.
 */
export function connectCloudWatch(region: () => Promise<string>, egress = new Egress()): PutMetricData {
  let client: CloudWatchClient | undefined;
  return async (data, signal) => {
    const sdk = await import('@aws-sdk/client-cloudwatch');
    // One attempt: the next report carries these counts.
    const requestHandler = { httpsAgent: egress.agent({ keepAlive: true }) };
    client ??= new sdk.CloudWatchClient({ region, maxAttempts: 1, requestHandler });
    const command = new sdk.PutMetricDataCommand({ Namespace: METRICS_NAMESPACE, MetricData: data });
    await client.send(command, { abortSignal: signal });
  };
}
