import { execFile } from 'node:child_process';
import { errorFields, type Log } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';

/*
 * systemd listens on a UNIX datagram socket, which Node has not. The native packages that have it (unix-dgram,
 * sd-notify) are compiled where they are installed: they survive neither the bundling into one file nor an image without
 * a compiler, and a fault in them is a crash of every call. So systemd's own systemd-notify says it, a process of a few
 * milliseconds that is there wherever systemd is; the price is NotifyAccess=all in the unit, because it is not our main
 * process that speaks. It waits until systemd has taken the message, so systemd still knows whose process it was.
 */
const PROGRAM = 'systemd-notify';
/** It waits up to 5 s for systemd by itself; one that takes longer than this must not stand before all that follow. */
const PATIENCE_MS: Millis = 10_000;
/** What systemd was not told is tried again after this: well within the third of a watchdog's time. */
const AGAIN_MS: Millis = 1000;
/** sd_watchdog_enabled(3) recommends half of the time; at a third, one that comes late or is lost does no harm. */
const SIGNS_PER_WATCHDOG = 3;
/** systemd shows one line; more of it would only be cut off. */
const LONGEST_STATUS = 200;

/** What the daemon tells the service manager about itself (sd_notify(3)). Never throws, never holds up the event loop;
 *  without NOTIFY_SOCKET, so not under systemd, nothing happens. */
export interface Notifier {
  /** The daemon takes sessions: the unit becomes active. */
  ready(): void;
  /** The daemon is on its way out for good: from here TimeoutStopSec runs. */
  stopping(): void;
  /** A line for `systemctl status`. */
  status(text: string): void;
  /** Starting or stopping may take so much longer from now; to be said again before that is over. */
  extendTimeout(ms: Millis): void;
  /** From now on shows that the event loop turns, when the unit has WatchdogSec. */
  startWatchdog(): void;
  /** Says nothing more. */
  stop(): void;
}

/** The notifier for this process' environment (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, PATH). */
export function createNotifier(env: Readonly<Record<string, string | undefined>>, log: Log): Notifier {
  const socket = env['NOTIFY_SOCKET'];
  return socket ? new SystemdNotifier(socket, env['PATH'] ?? '', watchdogMs(env), log) : SILENT;
}

const SILENT: Notifier = {
  ready() {},
  stopping() {},
  status() {},
  extendTimeout() {},
  startWatchdog() {},
  stop() {},
};

/** WatchdogSec of our unit; undefined when it has none, or when it is another process that is watched. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>): Millis | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID } = env;
  const isForUs = !WATCHDOG_PID || WATCHDOG_PID === String(process.pid);
  const ms = Number(WATCHDOG_USEC) / 1000;
  return isForUs && ms > 0 ? ms : undefined;
}

class SystemdNotifier implements Notifier {
  /** systemd-notify needs no more of our environment, and no secret that may be in it. */
  readonly #env: Record<string, string>;
  readonly #watchdogMs: Millis | undefined;
  readonly #log: Log;
  /** What is to be said next: of each variable only the latest, so a slow systemd piles nothing up. */
  readonly #pending = new Map<string, string>();
  #isSpeaking = false;
  #isFailing = false;
  #isStopped = false;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(socket: string, path: string, watchdogMs: Millis | undefined, log: Log) {
    this.#env = { NOTIFY_SOCKET: socket, PATH: path };
    this.#watchdogMs = watchdogMs;
    this.#log = log;
  }

  ready(): void {
    this.#say('READY', '1');
  }

  stopping(): void {
    this.#say('STOPPING', '1');
  }

  status(text: string): void {
    // A line break in it would begin another variable.
    this.#say('STATUS', text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_STATUS));
  }

  extendTimeout(ms: Millis): void {
    this.#say('EXTEND_TIMEOUT_USEC', String(Math.round(ms * 1000)));
  }

  startWatchdog(): void {
    if (this.#watchdogMs === undefined || this.#watchdog || this.#isStopped) return;
    const sign = () => this.#say('WATCHDOG', '1');
    // On the event loop that the sessions live on: when it hangs, nothing is said, and systemd starts us anew.
    this.#watchdog = setInterval(sign, this.#watchdogMs / SIGNS_PER_WATCHDOG).unref();
    sign();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#watchdog);
    this.#pending.clear();
  }

  #say(variable: string, value: string): void {
    if (this.#isStopped) return;
    this.#pending.set(variable, value);
    if (!this.#isSpeaking) this.#speak();
  }

  /** Says what is pending in one message, and after it what has come meanwhile: one process at a time. */
  #speak(): void {
    if (this.#isStopped) return;
    const message = [...this.#pending];
    this.#pending.clear();
    this.#isSpeaking = true;
    run(message, this.#env, (error) => {
      this.#isSpeaking = false;
      this.#report(error);
      if (error) this.#sayAgain(message);
      else if (this.#pending.size > 0) this.#speak();
    });
  }

  /** A READY=1 that got lost would have the daemon killed as one that does not start. */
  #sayAgain(message: readonly [variable: string, value: string][]): void {
    if (this.#isStopped) return;
    for (const [variable, value] of message) {
      if (!this.#pending.has(variable)) this.#pending.set(variable, value);
    }
    this.#isSpeaking = true;
    setTimeout(() => this.#speak(), AGAIN_MS).unref();
  }

  /** Tells once that systemd cannot be told, not with every sign of life. */
  #report(error: Error | undefined): void {
    const isFailing = error !== undefined;
    if (this.#isStopped || this.#isFailing === isFailing) return;
    this.#isFailing = isFailing;
    if (isFailing) {
      const fields = { event: 'notify.failing', ...errorFields(error) };
      this.#log.error(fields, 'systemd cannot be told how the daemon is, and may restart it: is systemd-notify there?');
    } else this.#log.info({ event: 'notify.recovered' }, 'systemd is told again how the daemon is');
  }
}

/** Runs systemd-notify; calls back once, when it has ended or could not be started. */
function run(
  message: readonly [variable: string, value: string][],
  env: Record<string, string>,
  done: (error: Error | undefined) => void,
): void {
  const options = { env, cwd: '/', timeout: PATIENCE_MS, killSignal: 'SIGKILL' } as const;
  const assignments = message.map(([variable, value]) => `${variable}=${value}`);
  try {
    execFile(PROGRAM, assignments, options, (error) => done(error ?? undefined));
  } catch (error) {
    // Some troubles, such as no memory for a process, are thrown at once.
    setImmediate(done, error as Error);
  }
}
