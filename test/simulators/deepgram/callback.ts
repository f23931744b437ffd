import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from './delivery.ts';
import type { Message } from './messages.ts';

/** daemon/deepgram/README.md: a delivery is attempted up to 10 times. */
const MAX_TRIES = 10;

interface CallbackFacts {
  delivered: number;
  waiting: number;
  failedTries: number;
  /** Abandoned messages, in order. */
  undelivered: Message[];
}

/** Delivers a connection's messages one at a time, in order; abandons one after the last attempt. */
export class CallbackQueue {
  readonly #delivery: Delivery;
  readonly #retryMs: number;
  readonly #signal: AbortSignal;
  readonly #waiting: Message[] = [];
  readonly #undelivered: Message[] = [];
  #delivered = 0;
  #failedTries = 0;
  #isRunning = false;
  #hasEnded = false;

  constructor(delivery: Delivery, retryMs: number, signal: AbortSignal) {
    this.#delivery = delivery;
    this.#retryMs = retryMs;
    this.#signal = signal;
  }

  get facts(): CallbackFacts {
    return {
      delivered: this.#delivered,
      waiting: this.#waiting.length,
      failedTries: this.#failedTries,
      undelivered: this.#undelivered,
    };
  }

  send(message: Message): void {
    this.#waiting.push(message);
    if (!this.#isRunning) void this.#run();
  }

  /** No message will follow; queued ones are still delivered. */
  end(): void {
    this.#hasEnded = true;
    if (!this.#isRunning) this.#delivery.close();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let message = this.#waiting[0]; message && !this.#signal.aborted; message = this.#waiting[0]) {
      if (await this.#arrives(message)) this.#delivered += 1;
      else this.#undelivered.push(message);
      this.#waiting.shift();
    }
    this.#isRunning = false;
    if (this.#hasEnded) this.#delivery.close();
  }

  async #arrives(message: Message): Promise<boolean> {
    const body = JSON.stringify(message);
    for (let tries = 1; !this.#signal.aborted; tries += 1) {
      try {
        await this.#delivery.deliver(body);
        return true;
      } catch {
        this.#failedTries += 1;
        if (tries === MAX_TRIES) return false;
      }
      await delay(this.#retryMs, undefined, { signal: this.#signal }).catch(() => {
        // Aborted because the process exits; the loop checks that.
      });
    }
    return false;
  }
}
