import { type Cancel, type Clock, type Millis, sleepOn, timeoutOn } from '../../daemon/runtime/clock.ts';

interface Task {
  readonly run: () => void;
  readonly dueMs: Millis;
  readonly repeats: boolean;
}

/** Enough turns of the event loop for the longest chain of promises that a task starts. */
const SETTLE_TURNS = 4;

/** A clock that moves only when a test advances it. */
export class VirtualClock implements Clock {
  #nowMs: Millis;
  #epochMs: Millis;
  readonly #tasks = new Set<Task>();

  constructor({ nowMs = 1000, epochMs = Date.UTC(2026, 0, 1) }: { nowMs?: Millis; epochMs?: Millis } = {}) {
    this.#nowMs = nowMs;
    this.#epochMs = epochMs;
  }

  readonly now = () => this.#nowMs;
  readonly epoch = () => this.#epochMs;

  readonly after = (ms: Millis, run: () => void): Cancel => this.#add({ run, dueMs: this.#nowMs + ms, repeats: false });
  readonly every = (ms: Millis, run: () => void): Cancel => {
    let cancel: Cancel;
    const repeat = () => {
      cancel = this.#add({ run: again, dueMs: this.#nowMs + ms, repeats: true });
    };
    const again = () => {
      repeat();
      run();
    };
    repeat();
    return () => cancel();
  };
  readonly sleep = (ms: Millis, signal?: AbortSignal): Promise<void> => sleepOn(this, ms, signal);
  readonly timeout = (ms: Millis): AbortSignal => timeoutOn(this, ms);

  /** Number of pending one-shot tasks, to find what a component under test leaves behind. */
  get pending(): number {
    return [...this.#tasks].filter(({ repeats }) => !repeats).length;
  }

  /** Runs everything that takes no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Advances time by `ms` and runs due tasks in order. Promises settle before and after each task. */
  async advance(ms: Millis): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let task = this.#next(untilMs); task; task = this.#next(untilMs)) {
      this.#moveTo(task.dueMs);
      this.#tasks.delete(task);
      task.run();
      await this.settle();
    }
    this.#moveTo(untilMs);
  }

  /** Like `advance`, for code without promises. */
  forward(ms: Millis): void {
    const untilMs = this.#nowMs + ms;
    for (let task = this.#next(untilMs); task; task = this.#next(untilMs)) {
      this.#moveTo(task.dueMs);
      this.#tasks.delete(task);
      task.run();
    }
    this.#moveTo(untilMs);
  }

  /** Simulates a stalled event loop: time jumps, then due tasks run late. */
  stall(ms: Millis): void {
    this.#moveTo(this.#nowMs + ms);
    for (const task of [...this.#tasks].sort((one, other) => one.dueMs - other.dueMs)) {
      if (task.dueMs <= this.#nowMs && this.#tasks.delete(task)) task.run();
    }
  }

  /** Simulates a change of the machine's clock: only the time of day moves. */
  setEpoch(epochMs: Millis): void {
    this.#epochMs = epochMs;
  }

  #add(task: Task): Cancel {
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }

  #next(untilMs: Millis): Task | undefined {
    let first: Task | undefined;
    for (const task of this.#tasks) if (task.dueMs <= untilMs && task.dueMs < (first?.dueMs ?? Infinity)) first = task;
    return first;
  }

  #moveTo(nowMs: Millis): void {
    if (nowMs <= this.#nowMs) return;
    this.#epochMs += nowMs - this.#nowMs;
    this.#nowMs = nowMs;
  }
}
