import type { buildConnector } from 'undici';
import type { Clock, Millis } from '../../runtime/clock.ts';
import { Connection, TIMEOUT_MS } from './connection.ts';

/** Per host and thread: a consumer that takes 50 ms serves 5,000 requests a second on as many. */
const MOST_CONNECTIONS = 256;
/** A connection is free for the next request within the time limit of the one before. */
const LONGEST_WAIT_MS: Millis = TIMEOUT_MS;

interface ConnectionsOptions {
  readonly origin: string;
  readonly connect: buildConnector.connector;
  readonly timers: Pick<Clock, 'after' | 'now'>;
  /** Replaceable in tests. */
  readonly most?: number;
}

interface Waiting {
  readonly resolve: (connection: Connection | undefined) => void;
  readonly sinceMs: Millis;
}

/**
 * The connections to a host: a request has one to itself, or waits for one here. It does not wait in undici, whose
 * queue cannot be left: a request whose time is over would be sent all the same.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #all: Connection[] = [];
  /** The last one used is used first: few are kept open while few are needed. */
  readonly #free: Connection[] = [];
  readonly #waiting: Waiting[] = [];

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** A free connection; undefined if as many as allowed are in use. */
  take(): Connection | undefined {
    const free = this.#free.pop();
    const { origin, connect, timers, most = MOST_CONNECTIONS } = this.#options;
    if (free || this.#all.length >= most) return free;
    const opened = new Connection(origin, connect, timers);
    this.#all.push(opened);
    return opened;
  }

  /**
   * The next connection that is released, first come, first served; undefined if that takes too long. That is noticed
   * when one is released, which needs no timer: each one is, within its request's time limit.
   */
  wait(): Promise<Connection | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push({ resolve, sinceMs: this.#options.timers.now() });
    });
  }

  /** Call this when the request is over. */
  release(connection: Connection): void {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const isInTime = this.#options.timers.now() - next.sinceMs <= LONGEST_WAIT_MS;
      next.resolve(isInTime ? connection : undefined);
      if (isInTime) return;
    }
    this.#free.push(connection);
  }

  close(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined);
    for (const connection of this.#all) connection.close();
  }
}
