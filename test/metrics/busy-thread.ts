import { DeepgramRefused } from '../../daemon/deepgram/errors.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';

/** The metrics of a thread that has done everything, `times` times. */
export function busyThread(times: number): SessionMetrics {
  const metrics = new SessionMetrics();
  for (let i = 0; i < times; i++) {
    metrics.sessionStarted('start');
    metrics.sessionCompleted('no-more-fragments');
    metrics.sessionFailed(new DeepgramRefused(401, undefined, undefined));
    metrics.audioReceived(0, 16);
    metrics.audioReceived(1, 32);
    metrics.gap('corrupt', 64);
    metrics.reconnected(1011);
    metrics.handshakeFailed('429');
    metrics.lagMs.observe(40);
    metrics.behindNow(700);
    metrics.audioOutBytes += 32;
    metrics.keepAlives++;
  }
  return metrics;
}
