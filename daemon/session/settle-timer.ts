import type { Aligner } from '../audio/aligner.ts';
import { LONGEST_GATHER_MS } from '../kinesis/read-schedule.ts';
import type { Millis } from '../runtime/clock.ts';
import { TICK_MS, Timer, type TimerWheel } from '../runtime/timer-wheel.ts';

/** After a pause in reading, what arrived meanwhile comes within this time: TCP probes a window that was closed. */
const CATCH_UP_MS: Millis = 1000;
/** A read that is due may come this much later: a tick each for its timer, ours, and the bytes. */
const READ_WITHIN_MS: Millis = 3 * TICK_MS;

/**
 * Lets the aligner decide when it is due although no block arrives: a stream may deliver nothing for seconds, and what
 * waits for a decision waits no longer than ALIGN_WAIT_MS. One timer, set only while something waits.
 */
export class SettleTimer {
  readonly #aligner: Pick<Aligner, 'dueMs' | 'settle' | 'waitFrom'>;
  readonly #timers: TimerWheel;
  readonly #send: () => Promise<void> | undefined;
  readonly #timer = new Timer(() => this.#settle());
  /** Resolves when the current send is done. */
  #sending: Promise<void> | undefined;
  #isStopped = false;
  /** When the stream was last read. */
  #readAtMs: Millis = -Infinity;
  /** When the timer is due; undefined while it is not set. */
  #dueMs: Millis | undefined;
  /** True once the socket has been read after a stall. */
  #isPostponed = false;

  /** @param send sends what is aligned, then calls `set` */
  constructor(
    aligner: Pick<Aligner, 'dueMs' | 'settle' | 'waitFrom'>,
    timers: TimerWheel,
    send: () => Promise<void> | undefined,
  ) {
    this.#aligner = aligner;
    this.#timers = timers;
    this.#send = send;
  }

  /** Call this whenever everything that is settled has been sent. */
  set(): void {
    const { dueMs } = this.#aligner;
    this.#isPostponed = false;
    this.#dueMs = dueMs === undefined ? undefined : Math.max(dueMs, this.#nextReadMs);
    if (this.#dueMs === undefined || this.#isStopped) this.#timers.cancel(this.#timer);
    // The wheel is up to a tick late.
    else this.#timers.set(this.#timer, this.#dueMs - TICK_MS);
  }

  /** The stream was held back, and is read again now: no track is late because it did not come meanwhile. */
  noteHold(): void {
    this.#aligner.waitFrom(this.#timers.now() + CATCH_UP_MS);
  }

  /** Sends when what is being sent is done: the aligner has one reader at a time. Throws or rejects with what stopped it. */
  afterSending(send: () => Promise<void> | undefined): Promise<void> | undefined {
    // Sending may take long, and sets the timer when it is done.
    this.#timers.cancel(this.#timer);
    this.#excuseStall();
    this.#readAtMs = this.#timers.now();
    const sent = this.#sending ? this.#sending.then(send) : send();
    if (sent) this.#track(sent);
    return sent;
  }

  /** Stops the timer. Resolves when the current send is done, or rejects with what stopped it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timers.cancel(this.#timer);
    await this.#sending;
  }

  /** When the next read is done: a busy thread lets the kernel gather, and what comes meanwhile has not been seen. */
  get #nextReadMs(): Millis {
    const { load } = this.#timers;
    return load > 0 ? this.#readAtMs + LONGEST_GATHER_MS * load + READ_WITHIN_MS : -Infinity;
  }

  #settle(): void {
    const dueMs = this.#dueMs;
    if (dueMs === undefined || this.#sending) return;
    const nowMs = this.#timers.now();
    if (nowMs > dueMs + TICK_MS && !this.#isPostponed) {
      // This process has stalled: blocks that came meanwhile are read first.
      this.#isPostponed = true;
      this.#timers.set(this.#timer, nowMs + Math.min(nowMs - dueMs, CATCH_UP_MS));
      return;
    }
    this.#aligner.settle(Math.max(dueMs, nowMs));
    this.#track(this.#sendSettled());
  }

  /** Blocks that are read after a stall of this process may be a part of what came meanwhile. */
  #excuseStall(): void {
    const nowMs = this.#timers.now();
    const lateMs = nowMs - (this.#dueMs ?? nowMs);
    this.#dueMs = undefined;
    if (lateMs > TICK_MS) this.#aligner.waitFrom(nowMs + Math.min(lateMs, CATCH_UP_MS));
  }

  async #sendSettled(): Promise<void> {
    await this.#send();
  }

  /** A failure stays, for the reader to end the session with. */
  #track(sent: Promise<void>): void {
    this.#sending = sent;
    sent.then(
      () => {
        if (this.#sending === sent) this.#sending = undefined;
      },
      () => {},
    );
  }
}
