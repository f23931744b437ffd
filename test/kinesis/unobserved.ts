import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { Pulse } from '../../daemon/runtime/timer-wheel.ts';

/** What a reading tells besides the audio, where nobody listens. */
export const unobserved = { pulse: new Pulse(systemClock), metrics: new SessionMetrics(), onTrouble: () => {} };
