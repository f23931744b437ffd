import type { SessionManager } from '../admission/manager.ts';
import type { Millis } from '../runtime/clock.ts';
import type { Notifier } from './notify.ts';

/** A line for `systemctl status` that is no older than this. */
const REPORT_EVERY_MS: Millis = 10_000;
/** A drain may last longer than TimeoutStopSec; each report asks for time beyond the next few. */
const EXTENSION_MS: Millis = 60_000;

/** Tells systemd how the daemon does for as long as it runs. */
export function reportTo(notifier: Notifier, manager: SessionManager): void {
  let told = '';
  const report = () => {
    const text = statusOf(manager);
    if (text !== told) notifier.status(text);
    told = text;
    if (manager.admission.drain.isDraining) notifier.extendTimeout(EXTENSION_MS);
  };
  setInterval(report, REPORT_EVERY_MS).unref();
  report();
}

function statusOf({ admission, size }: SessionManager): string {
  return `${admission.healthStatus(size) ?? 'serving'}, ${size} of ${admission.maxSessions} sessions`;
}
