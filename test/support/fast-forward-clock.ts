import type { Millis } from '../../daemon/runtime/clock.ts';
import { VirtualClock } from './virtual-clock.ts';

interface FastForwardOptions {
  readonly epochMs?: Millis;
  /** Called before the nth sleep (from 1); an error it throws ends that sleep. */
  readonly onSleep?: (nth: number) => void | Promise<void>;
}

/** A virtual clock for code that also waits for real sockets: only a sleep, or the test, moves the time. */
export class FastForwardClock extends VirtualClock {
  /** Every sleep so far. */
  readonly sleeps: Millis[] = [];
  readonly #onSleep: (nth: number) => void | Promise<void>;

  constructor({ onSleep = () => {}, ...options }: FastForwardOptions = {}) {
    super(options);
    this.#onSleep = onSleep;
  }

  override readonly sleep = async (ms: Millis, signal?: AbortSignal): Promise<void> => {
    this.sleeps.push(ms);
    await this.#onSleep(this.sleeps.length);
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.forward(ms);
  };
}
