import { SessionMetrics } from '../../daemon/observe/session-metrics.ts';

/** What a reading tells besides the audio, where nobody listens. */
export const unobserved = { metrics: new SessionMetrics(), onTrouble: () => {} };
