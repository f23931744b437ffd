import type { Drain } from '../admission/drain.ts';
import type { Clock, Millis } from '../runtime/clock.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

interface SignalOptions {
  readonly drain: Pick<Drain, 'begin' | 'endRemaining'>;
  readonly clock: Clock;
  /** How long running calls have after a signal; 0 means no deadline. */
  readonly deadlineMs: Millis;
}

/** A signal drains; SIGINT or a second signal also ends the running sessions now. */
export function obeySignals(
  { drain, clock, deadlineMs }: SignalOptions,
  on: (signal: (typeof SIGNALS)[number], listener: () => void) => void = (...args) => process.on(...args),
): void {
  let signals = 0;
  for (const signal of SIGNALS) {
    on(signal, () => {
      signals++;
      const deadlineAtEpochMs = deadlineMs > 0 ? clock.epoch() + deadlineMs : undefined;
      drain.begin({ source: 'signal', reason: signal, deadlineAtEpochMs });
      if (signal === 'SIGINT' || signals > 1) drain.endRemaining();
    });
  }
}
