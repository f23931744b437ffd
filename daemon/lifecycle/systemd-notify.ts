import { execFile } from 'node:child_process';
import type { Millis } from '../runtime/clock.ts';

/*
 * systemd listens on a UNIX datagram socket, which Node does not support. The native packages that do (unix-dgram,
 * sd-notify) are compiled at install time, so they survive neither bundling into one file nor an image without a
 * compiler, and a crash in them takes every call with it. So we run systemd's own systemd-notify: a process of a few
 * milliseconds that exists wherever systemd does. The price is NotifyAccess=all in the unit. systemd-notify waits until
 * systemd has read the message, so systemd still knows whose process sent it.
 */
const PROGRAM = 'systemd-notify';
/** systemd-notify itself waits up to 5 s for systemd; a process that hangs must not hold up later messages. */
const TIMEOUT_MS: Millis = 10_000;

/** Variables of sd_notify(3) and their values, sent in one message. */
export type Message = readonly (readonly [variable: string, value: string])[];

/** Sends a message to systemd; calls `done` once, with an error when that failed. */
export type SendMessage = (message: Message, done: (error: Error | undefined) => void) => void;

/**
 * Runs systemd-notify from `path`, for the socket. Its environment has nothing else: ours may hold secrets.
 */
export function systemdNotify(socket: string, path: string): SendMessage {
  const env = { NOTIFY_SOCKET: socket, PATH: path };
  const options = { env, cwd: '/', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
  return (message, done) => {
    const assignments = message.map(([variable, value]) => `${variable}=${value}`);
    try {
      execFile(PROGRAM, assignments, options, (error) => done(error ?? undefined));
    } catch (error) {
      // Some failures, such as ENOMEM, are thrown.
      setImmediate(done, error as Error);
    }
  };
}
