import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';

/** What a reading tells besides the audio, where nobody listens. */
export const unobserved = { timers: new TimerWheel(systemClock), metrics: new SessionMetrics(), onTrouble: () => {} };
