import { errorFields, type Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { type Message, type SendMessage, systemdNotify } from './systemd-notify.ts';

/** Well within a third of the watchdog's time. */
const RESEND_AFTER_MS: Millis = 1000;
/** sd_watchdog_enabled(3) recommends half of WatchdogSec; at a third, one late or lost message does no harm. */
const PINGS_PER_WATCHDOG = 3;
/** systemd shows one line and cuts off the rest. */
const LONGEST_STATUS = 200;

/** Reports the daemon's state to systemd (sd_notify(3)). Never throws or blocks; does nothing without NOTIFY_SOCKET. */
export interface Notifier {
  /** The daemon accepts sessions: the unit becomes active. */
  ready(): void;
  /** The daemon is exiting; TimeoutStopSec starts now. */
  stopping(): void;
  /** A line for `systemctl status`. */
  status(text: string): void;
  /** Starting or stopping may take this much longer from now; call it again before that time is over. */
  extendTimeout(ms: Millis): void;
  /** Pings the watchdog from now on, if the unit has WatchdogSec. */
  startWatchdog(): void;
}

interface NotifierOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** systemd-notify unless a test brings its own. */
  readonly send?: SendMessage;
}

/** The notifier for this process's environment (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, PATH). */
export function createNotifier(
  env: Readonly<Record<string, string | undefined>>,
  { clock, log, send }: NotifierOptions,
): Notifier {
  const { NOTIFY_SOCKET: socket, PATH: path = '' } = env;
  if (!socket) return SILENT;
  return new SystemdNotifier({ clock, log, send: send ?? systemdNotify(socket, path) }, watchdogMs(env));
}

const SILENT: Notifier = {
  ready() {},
  stopping() {},
  status() {},
  extendTimeout() {},
  startWatchdog() {},
};

/** WatchdogSec of our unit; undefined when there is none or it watches another process. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Readonly<Record<string, string | undefined>>): Millis | undefined {
  const isForUs = !WATCHDOG_PID || WATCHDOG_PID === String(process.pid);
  const ms = Number(WATCHDOG_USEC) / 1000;
  return isForUs && ms > 0 ? ms : undefined;
}

class SystemdNotifier implements Notifier {
  readonly #options: Required<NotifierOptions>;
  readonly #watchdogMs: Millis | undefined;
  /** Only the latest value of each variable, so a slow systemd builds up no queue. */
  readonly #pending = new Map<string, string>();
  #isSending = false;
  #isFailing = false;

  constructor(options: Required<NotifierOptions>, watchdogMs: Millis | undefined) {
    this.#options = options;
    this.#watchdogMs = watchdogMs;
  }

  ready(): void {
    this.#set('READY', '1');
  }

  stopping(): void {
    this.#set('STOPPING', '1');
  }

  status(text: string): void {
    // A line break would start another variable.
    this.#set('STATUS', text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_STATUS));
  }

  extendTimeout(ms: Millis): void {
    this.#set('EXTEND_TIMEOUT_USEC', String(Math.round(ms * 1000)));
  }

  startWatchdog(): void {
    if (this.#watchdogMs === undefined) return;
    const ping = () => this.#set('WATCHDOG', '1');
    // On the event loop that serves the sessions: when it hangs, pings stop and systemd restarts the daemon.
    this.#options.clock.every(this.#watchdogMs / PINGS_PER_WATCHDOG, ping);
    ping();
  }

  #set(variable: string, value: string): void {
    this.#pending.set(variable, value);
    if (!this.#isSending) this.#send();
  }

  /** Sends what is pending in one message, and then what has been set meanwhile. */
  #send(): void {
    const message = [...this.#pending];
    this.#pending.clear();
    this.#isSending = true;
    this.#options.send(message, (error) => {
      this.#isSending = false;
      this.#report(error);
      if (error) this.#resend(message);
      else if (this.#pending.size > 0) this.#send();
    });
  }

  /** Without a READY=1 that got lost, systemd would kill the daemon for not starting. */
  #resend(message: Message): void {
    for (const [variable, value] of message) {
      if (!this.#pending.has(variable)) this.#pending.set(variable, value);
    }
    this.#isSending = true;
    this.#options.clock.after(RESEND_AFTER_MS, () => this.#send());
  }

  /** Logs the first failure and the recovery, not every ping that fails. */
  #report(error: Error | undefined): void {
    const { log } = this.#options;
    const isFailing = error !== undefined;
    if (this.#isFailing === isFailing) return;
    this.#isFailing = isFailing;
    if (isFailing) {
      const fields = { event: 'notify.failing', ...errorFields(error) };
      log.error(fields, 'cannot notify systemd, which may restart the daemon: is systemd-notify installed?');
    } else log.info({ event: 'notify.recovered' }, 'notifying systemd works again');
  }
}
