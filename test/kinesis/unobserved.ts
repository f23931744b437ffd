import { createLog } from '../../daemon/log/log.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';

/** Options of a reading that a test does not look at. */
export const unobserved = {
  log: createLog('silent'),
  metrics: new SessionMetrics(),
  onTrouble: () => {},
  onLost: () => {},
  random: () => 0.5,
};
