import { createHistogram } from 'node:perf_hooks';
import type { Caller } from './caller.ts';
import { monotonicMs } from './monotonic.ts';
import { BLOCK_MS } from './sound.ts';

/** Multiples of it, modulo 1, are spread evenly, however many there are. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
/** About as fine as Node's timers get, with few enough wake-ups to cost nothing. */
const TICK_MS = 2;
const MICROSECONDS_PER_MS = 1000;

/** One timer for all calls: each has its turn every 64 ms, in one of 64 slots of 1 ms. */
export class Rota {
  /** How late each turn was, in microseconds. */
  readonly lateness = createHistogram();
  readonly #places: Caller[][] = Array.from({ length: BLOCK_MS }, () => []);
  #place = 0;
  /** When the calls in `#place` have their turn. */
  #dueMs = monotonicMs();

  constructor() {
    setInterval(() => this.#tick(), TICK_MS);
  }

  add(caller: Caller): void {
    const place = Math.floor(((caller.call * GOLDEN_RATIO) % 1) * BLOCK_MS);
    this.#places[place]?.push(caller);
  }

  /** Advances the calls whose turn it is. */
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
