import { createHistogram } from 'node:perf_hooks';
import type { Caller } from './caller.ts';
import { monotonicMs } from './monotonic.ts';
import { BLOCK_MS } from './sound.ts';

/** Spreads numbers that follow each other evenly, however many there are. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
/** As fine as a timer of Node's can be, and few enough wake-ups to cost nothing. */
const TICK_MS = 2;
const MICROSECONDS_PER_MS = 1000;

/** One timer for all calls: each has its turn every 64 ms, in one of 64 places of 1 ms each. */
export class Rota {
  /** How long after its time each turn came, in microseconds. */
  readonly lateness = createHistogram();
  readonly #places: Caller[][] = Array.from({ length: BLOCK_MS }, () => []);
  #place = 0;
  /** When the calls at `#place` have their turn. */
  #dueMs = monotonicMs();

  constructor() {
    setInterval(() => this.#tick(), TICK_MS);
  }

  add(caller: Caller): void {
    const place = Math.floor(((caller.call * GOLDEN_RATIO) % 1) * BLOCK_MS);
    this.#places[place]?.push(caller);
  }

  /** Lets those speak whose turn has come. */
  #tick(): void {
    const nowMs = monotonicMs();
    while (this.#dueMs <= nowMs) {
      const callers = this.#places[this.#place] as Caller[];
      for (const caller of callers) caller.say();
      if (callers.length > 0) {
        this.lateness.record(Math.max(1, Math.round((monotonicMs() - this.#dueMs) * MICROSECONDS_PER_MS)));
      }
      this.#place = (this.#place + 1) % BLOCK_MS;
      this.#dueMs++;
    }
  }
}
