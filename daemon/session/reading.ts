import { Aligner } from '../audio/aligner.ts';
import type { CallBuffer } from '../audio/call-buffer.ts';
import type { Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import type { StartingPoint } from './seed.ts';
import { SettleTimer } from './settle-timer.ts';

interface ReadingOptions {
  readonly alignWaitMs: Millis;
  readonly timers: TimerWheel;
  /** Where the call is written before it is sent. */
  readonly buffer: CallBuffer;
  /** Ends the reading before the call ends. */
  readonly stop: AbortSignal;
  /** Sends what is aligned. */
  readonly send: (reading: Reading) => Promise<void> | undefined;
}

/** One reading of a call, from its beginning or a resume point on. The call is read again when it must be repeated. */
export class Reading {
  readonly position: StartingPoint['position'];
  readonly aligner: Aligner;
  readonly settleTimer: SettleTimer;
  readonly #stop: AbortSignal;
  readonly #ending = new AbortController();
  readonly #end = () => this.#ending.abort();
  #isReplaced = false;
  /** Made when it is asked for: few readings are. */
  #replaced: PromiseWithResolvers<void> | undefined;

  constructor({ position, callMs, callClock }: Omit<StartingPoint, 'connections'>, options: ReadingOptions) {
    const { alignWaitMs, timers, buffer, stop, send } = options;
    this.position = position;
    this.aligner = new Aligner(alignWaitMs, buffer, callClock && { callMs, callClock });
    this.settleTimer = new SettleTimer(this.aligner, timers, () => send(this));
    this.#stop = stop;
    // AbortSignal.any would do this too, and takes 2 KiB of each call.
    if (stop.aborted) this.#end();
    else stop.addEventListener('abort', this.#end, { once: true });
  }

  /** Ends the reading: the session stops, or the call is read again. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** True once another reading has taken its place: what comes of this one no longer counts. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Resolves when another reading takes its place. */
  get replaced(): Promise<void> {
    this.#replaced ??= Promise.withResolvers();
    if (this.#isReplaced) this.#replaced.resolve();
    return this.#replaced.promise;
  }

  /** Another reading takes its place. */
  replace(): void {
    this.#isReplaced = true;
    this.#stop.removeEventListener('abort', this.#end);
    this.#end();
    // What it was sending ends by itself.
    void this.settleTimer.stop().catch(() => {});
    this.#replaced?.resolve();
  }
}
