import type { ResultsMetrics } from '../metrics/results-metrics.ts';

/** Counts deliveries, dead letters and lost events. */
export type ResultsCounter = Omit<ResultsMetrics, 'snapshot'>;
