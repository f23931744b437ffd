import { type Metric as PromMetric, Registry } from 'prom-client';
import { VERSION } from '../contract/version.ts';
import type { InstanceMetrics, InstanceSnapshot } from './instance-metrics.ts';
import { METRICS, type Metric, type Sample } from './metric-table.ts';

/** The response to GET /metrics. */
interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

const S_PER_MS = 1 / 1000;

/** Metrics of the process itself. Most have the names that all Prometheus clients use. */
export const PROCESS_METRICS = [
  {
    type: 'gauge',
    name: 'integratord_build_info',
    unit: '',
    labels: ['version', 'node', 'arch'],
    help: 'Always 1; the labels identify the build',
    samples: () => [{ labels: { version: VERSION, node: process.versions.node, arch: process.arch }, value: 1 }],
  },
  {
    type: 'counter',
    name: 'process_cpu_seconds_total',
    unit: 'seconds',
    labels: [],
    help: 'CPU time of all threads, user and system',
    samples: () => {
      const { user, system } = process.cpuUsage();
      return [{ labels: {}, value: (user + system) / 1e6 }];
    },
  },
  {
    type: 'gauge',
    name: 'process_resident_memory_bytes',
    unit: 'bytes',
    labels: [],
    help: 'Resident memory of the process',
    samples: () => [{ labels: {}, value: process.memoryUsage.rss() }],
  },
  {
    type: 'gauge',
    name: 'process_start_time_seconds',
    unit: 'seconds',
    labels: [],
    help: 'When the process started, in seconds since 1970',
    samples: () => [{ labels: {}, value: Math.round(performance.timeOrigin) / 1000 }],
  },
] as const satisfies readonly Metric[];

/** Renders the metrics in Prometheus's text format; each scrape takes one snapshot. */
export class PrometheusPage {
  readonly #metrics: InstanceMetrics;
  readonly #registry = new Registry();
  #now: InstanceSnapshot | undefined;

  constructor(metrics: InstanceMetrics) {
    this.#metrics = metrics;
    for (const metric of [...METRICS, ...PROCESS_METRICS]) this.#register(metric);
  }

  async text(): Promise<MetricsText> {
    this.#now = await this.#metrics.snapshot();
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /**
   * Registers an object that returns our counts: prom-client's own metric classes do their own counting.
   */
  #register(metric: Metric): void {
    const { name, help, type } = metric;
    const values = () => (this.#now ? valuesOf(metric, this.#now) : []);
    const counted = { name, help, type, get: async () => ({ name, help, type, values: values(), aggregator: 'sum' }) };
    this.#registry.registerMetric(counted as unknown as PromMetric);
  }
}

/** A metric's samples, in the form that prom-client's registry prints. */
function valuesOf(metric: Metric, now: InstanceSnapshot): readonly (Sample & { metricName?: string })[] {
  if (metric.type !== 'histogram') return metric.samples(now);
  const { name, boundsMs } = metric;
  const { counts, sums } = metric.distribution(now);
  let reached = 0;
  const buckets = counts.map((count, bucket) => {
    reached += count;
    const boundMs = boundsMs[bucket];
    const le = boundMs === undefined ? '+Inf' : String(boundMs * S_PER_MS);
    return { metricName: `${name}_bucket`, labels: { le }, value: reached };
  });
  const sum = { metricName: `${name}_sum`, labels: {}, value: sums.reduce((a, b) => a + b, 0) * S_PER_MS };
  return [...buckets, sum, { metricName: `${name}_count`, labels: {}, value: reached }];
}
