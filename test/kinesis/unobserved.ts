import { systemClock } from '../../daemon/clock.ts';
import { SessionMetrics } from '../../daemon/observe/session-metrics.ts';
import { Pulse } from '../../daemon/pulse.ts';

/** What a reading tells besides the audio, where nobody listens. */
export const unobserved = { pulse: new Pulse(systemClock), metrics: new SessionMetrics(), onTrouble: () => {} };
