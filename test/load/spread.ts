import { createHistogram } from 'node:perf_hooks';

/** Percentiles of measured times in ms. All are 0 if there are none. */
export interface SpreadFigures {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Resolution: 10 us. */
const UNITS_PER_MS = 100;

/** Collects times in Node's histogram, which costs next to nothing per value. */
export class Spread {
  readonly #histogram = createHistogram();

  add(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * UNITS_PER_MS)));
  }

  reset(): void {
    this.#histogram.reset();
  }

  figures(): SpreadFigures {
    const { count } = this.#histogram;
    if (count === 0) return { count, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 };
    const at = (percent: number) => this.#histogram.percentile(percent) / UNITS_PER_MS;
    const mean = this.#histogram.mean / UNITS_PER_MS;
    return { count, mean, p50: at(50), p95: at(95), p99: at(99), max: this.#histogram.max / UNITS_PER_MS };
  }
}
