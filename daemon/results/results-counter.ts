import type { ResultsMetrics } from '../metrics/results-metrics.ts';

/** What delivery counts. */
export type ResultsCounter = Omit<ResultsMetrics, 'snapshot'>;
