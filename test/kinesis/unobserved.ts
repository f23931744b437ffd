import { createLog } from '../../daemon/log/log.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';

/** What a reading reports besides the audio, where no test looks at it. */
export const unobserved = {
  log: createLog('silent'),
  metrics: new SessionMetrics(),
  onTrouble: () => {},
  random: () => 0.5,
};
