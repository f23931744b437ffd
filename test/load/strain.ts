import { monitorEventLoopDelay } from 'node:perf_hooks';
import { monotonicMs } from './monotonic.ts';

/** Load of a simulator: if it cannot keep up, the figures do not describe the daemon. */
export interface StrainFigures {
  /** User and system time of the process. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly eventLoopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly rssBytes: number;
}

const RESOLUTION_MS = 10;

/** Measures this process since `begin`. */
export class Strain {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #beganMs = monotonicMs();
  #cpu = process.cpuUsage();

  constructor() {
    this.#delay.enable();
  }

  begin(): void {
    this.#delay.reset();
    this.#beganMs = monotonicMs();
    this.#cpu = process.cpuUsage();
  }

  figures(): StrainFigures {
    const { user, system } = process.cpuUsage(this.#cpu);
    // The monitor measures the time between its own timers, which is its resolution if nothing is late.
    const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      cpuMs: (user + system) / 1000,
      wallMs: monotonicMs() - this.#beganMs,
      eventLoopDelayMs: {
        p50: ms(this.#delay.percentile(50)),
        p99: ms(this.#delay.percentile(99)),
        max: ms(this.#delay.max),
      },
      rssBytes: process.memoryUsage.rss(),
    };
  }
}
