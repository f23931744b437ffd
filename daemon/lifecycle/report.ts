import type { Clock, Millis } from '../runtime/clock.ts';
import type { Notifier } from './notify.ts';

const REPORT_EVERY_MS: Millis = 10_000;
/** A drain may outlast TimeoutStopSec; each report asks for time beyond the next few reports. */
const EXTENSION_MS: Millis = 60_000;

/** The part of the session manager that is reported to systemd. */
interface ReportedSessions {
  readonly size: number;
  readonly admission: {
    readonly maxSessions: number;
    readonly drain: { readonly isDraining: boolean };
    /** Reason for failing the health check; undefined while healthy. */
    healthStatus(sessions: number): string | undefined;
  };
}

/** Keeps the line in `systemctl status` up to date, and keeps systemd from killing the daemon during a drain. */
export function reportTo(
  notifier: Pick<Notifier, 'status' | 'extendTimeout'>,
  sessions: ReportedSessions,
  clock: Clock,
): void {
  let reported = '';
  const report = () => {
    const text = statusOf(sessions);
    if (text !== reported) notifier.status(text);
    reported = text;
    if (sessions.admission.drain.isDraining) notifier.extendTimeout(EXTENSION_MS);
  };
  clock.every(REPORT_EVERY_MS, report);
  report();
}

function statusOf({ admission, size }: ReportedSessions): string {
  return `${admission.healthStatus(size) ?? 'serving'}, ${size} of ${admission.maxSessions} sessions`;
}
