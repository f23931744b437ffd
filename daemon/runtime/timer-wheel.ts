import { type Cancel, type Clock, type Millis, sleepOn, timeoutOn } from './clock.ts';

/** Fine enough for what waits on it (reads blocks apart, keep-alives of seconds); 50 wake-ups a second in all. */
export const TICK_MS: Millis = 20;
/** Ticks that the wheel holds at once, 2.5 s; what is due later goes around more than once. */
const SLOTS = 128;
/** How often the thread's CPU usage is measured. */
const MEASURE_EVERY_MS: Millis = 500;
/** A turn that comes this much later than due means that the process stood still: stopped, frozen with its VM, or busy. */
const STALL_MS: Millis = 1000;
/** Below this share of a core there is nothing to save; above the other one, everything that can be saved is. */
const IDLE = 0.01;
const BUSY = 0.05;

/** A task that runs once each time that it is set. */
export class Timer {
  readonly task: () => void;
  dueMs: Millis = 0;
  /** Its neighbors in the slot that it waits in; itself while it is not set. */
  previous: Timer = this;
  next: Timer = this;

  constructor(task: () => void) {
    this.task = task;
  }
}

/**
 * A coarse clock that all sessions of a thread share: one timer runs everything that is due, up to a tick late.
 * A Node timer for each read, ping and keep-alive would wake the event loop thousands of times a second. `set` and
 * `cancel` allocate nothing. The wheel stands still while nothing is set.
 */
export class TimerWheel implements Clock {
  readonly #clock: Clock;
  readonly #cpuMs: () => Millis;
  /** A ring list each: the timer stored here is the sentinel between the last one and the first. */
  readonly #slots = Array.from({ length: SLOTS }, () => new Timer(() => {}));
  #waiting = 0;
  #slot = 0;
  #slotMs: Millis = 0;
  /** Set while the wheel turns. */
  #cancelTick: Cancel | undefined;
  #usedMs: Millis;
  #measuredMs: Millis;
  #load = 0;
  #stalledMs: Millis = 0;

  /** @param cpuMs CPU time that this thread has used so far */
  constructor(clock: Clock, cpuMs = threadCpuMs) {
    this.#clock = clock;
    this.#cpuMs = cpuMs;
    this.#usedMs = cpuMs();
    this.#measuredMs = clock.now();
  }

  /** How busy the thread is: 0 when doing things less often would save nothing, 1 when it must save all it can. */
  get load(): number {
    this.#measure();
    return this.#load;
  }

  /** How long the process has stood still, for a second or more each time, while the wheel turned. */
  get stalledMs(): Millis {
    return this.#stalledMs;
  }

  /** `now` without the time in which the process stood still. */
  get awakeMs(): Millis {
    return this.now() - this.#stalledMs;
  }

  now(): Millis {
    return this.#clock.now();
  }

  epoch(): Millis {
    return this.#clock.epoch();
  }

  after(ms: Millis, task: () => void): Cancel {
    const timer = new Timer(task);
    this.set(timer, this.now() + ms);
    return () => this.cancel(timer);
  }

  every(ms: Millis, task: () => void): Cancel {
    const timer = new Timer(() => {
      this.set(timer, timer.dueMs + ms);
      task();
    });
    this.set(timer, this.now() + ms);
    return () => this.cancel(timer);
  }

  sleep(ms: Millis, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  timeout(ms: Millis): AbortSignal {
    return timeoutOn(this, ms);
  }

  /** Runs the timer's task once, at `dueMs` on the clock or up to a tick later. A timer that is already set moves. */
  set(timer: Timer, dueMs: Millis): void {
    this.cancel(timer);
    timer.dueMs = dueMs;
    this.#waiting++;
    if (!this.#cancelTick) this.#start();
    this.#put(timer);
  }

  cancel(timer: Timer): void {
    if (timer.next === timer) return;
    unlink(timer);
    this.#waiting--;
  }

  #start(): void {
    this.#slotMs = this.#clock.now();
    this.#cancelTick = this.#clock.after(TICK_MS, this.#tick);
  }

  #put(timer: Timer): void {
    const ahead = Math.ceil((timer.dueMs - this.#slotMs) / TICK_MS);
    const slot = this.#slots[(this.#slot + Math.min(Math.max(1, ahead), SLOTS - 1)) % SLOTS] as Timer;
    timer.previous = slot.previous;
    timer.next = slot;
    slot.previous.next = timer;
    slot.previous = timer;
  }

  readonly #tick = () => {
    const nowMs = this.#clock.now();
    const lateMs = nowMs - this.#slotMs - TICK_MS;
    if (lateMs > STALL_MS) this.#stalledMs += lateMs;
    // After a long stall one turn of the wheel is enough: it visits every timer.
    if (nowMs - this.#slotMs > SLOTS * TICK_MS) this.#slotMs = nowMs - SLOTS * TICK_MS;
    while (this.#slotMs + TICK_MS <= nowMs) {
      this.#slotMs += TICK_MS;
      this.#slot = (this.#slot + 1) % SLOTS;
      const slot = this.#slots[this.#slot] as Timer;
      // Timers set from here on go into another slot.
      while (slot.next !== slot) this.#fire(slot.next, nowMs);
    }
    // Rounded up: a Node timer fires up to a millisecond early otherwise, and would find nothing due.
    const leftMs = Math.ceil(this.#slotMs + TICK_MS - this.#clock.now());
    this.#cancelTick = this.#waiting > 0 ? this.#clock.after(Math.max(1, leftMs), this.#tick) : undefined;
  };

  #fire(timer: Timer, nowMs: Millis): void {
    unlink(timer);
    if (timer.dueMs > nowMs) {
      this.#put(timer);
    } else {
      this.#waiting--;
      timer.task();
    }
  }

  #measure(): void {
    const nowMs = this.#clock.now();
    const elapsedMs = nowMs - this.#measuredMs;
    if (elapsedMs < MEASURE_EVERY_MS) return;
    // Not the event loop's utilization: libuv counts sleep as work when a paused socket ends it.
    const usedMs = this.#cpuMs();
    const share = (usedMs - this.#usedMs) / elapsedMs;
    this.#usedMs = usedMs;
    this.#measuredMs = nowMs;
    const load = Math.min(1, Math.max(0, (share - IDLE) / (BUSY - IDLE)));
    // Half way each time: saving makes the thread less busy, and the load must not oscillate.
    this.#load += (load - this.#load) / 2;
  }
}

/** CPU time that this thread alone has used. */
function threadCpuMs(): Millis {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function unlink(timer: Timer): void {
  timer.previous.next = timer.next;
  timer.next.previous = timer.previous;
  timer.previous = timer;
  timer.next = timer;
}
