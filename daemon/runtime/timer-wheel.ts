import { performance } from 'node:perf_hooks';
import type { Clock, Millis } from './clock.ts';

/** Fine enough for what waits on it (reads some 100 ms apart, keep-alives of seconds); 50 wake-ups a second in all. */
const TICK_MS: Millis = 20;
/** Ticks that the wheel holds at once, 2.5 s; what is due later goes round more than once. */
const SLOTS = 128;
/** How often the thread is asked how busy it was. */
const MEASURE_EVERY_MS: Millis = 500;
/** Below this share of a core there is nothing to save; above the other one all is saved that may be. */
const IDLE = 0.01;
const BUSY = 0.05;

/** Something to be done when its time has come, each time that it is set. */
export class Timer {
  readonly task: () => void;
  dueMs: Millis = 0;
  /** Its neighbours in the list that it waits in; itself when it waits in none. */
  previous: Timer = this;
  next: Timer = this;

  constructor(task: () => void) {
    this.task = task;
  }
}

/**
 * One timer for all that the sessions of a thread do at their times: reads, pings, keep-alives. A timer for each would
 * wake the event loop thousands of times a second; this one does what is due in one go, and the system gives what has
 * come meanwhile in one go too. It stands still while nothing waits.
 */
export class TimerWheel {
  readonly #clock: Clock;
  /** A list each: this is what stands before the first and after the last of it. */
  readonly #slots = Array.from({ length: SLOTS }, () => new Timer(() => {}));
  #waiting = 0;
  #slot = 0;
  #slotMs: Millis = 0;
  #timer: NodeJS.Timeout | undefined;
  #cpuMs: Millis = cpuTimeMs();
  #cpuAtMs: Millis = performance.now();
  #measuredMs: Millis = 0;
  #load = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How busy the thread is: 0 when there is nothing to save by doing things less often, 1 when all must be saved. */
  get load(): number {
    this.#measure();
    return this.#load;
  }

  /** The time that what is due is reckoned by. */
  now(): Millis {
    return this.#clock.now();
  }

  /** Has its task done once, at `dueMs` of the clock or up to a tick later; one that waits is put off, or on. */
  set(timer: Timer, dueMs: Millis): void {
    this.cancel(timer);
    timer.dueMs = dueMs;
    this.#waiting++;
    if (!this.#timer) this.#start();
    this.#put(timer);
  }

  cancel(timer: Timer): void {
    if (timer.next === timer) return;
    unlink(timer);
    this.#waiting--;
  }

  #start(): void {
    this.#slotMs = this.#clock.now();
    this.#timer = setInterval(this.#tick, TICK_MS);
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
    // A loop that was held up for long catches up once round the wheel, which looks at everything.
    if (nowMs - this.#slotMs > SLOTS * TICK_MS) this.#slotMs = nowMs - SLOTS * TICK_MS;
    while (this.#slotMs + TICK_MS <= nowMs) {
      this.#slotMs += TICK_MS;
      this.#slot = (this.#slot + 1) % SLOTS;
      const slot = this.#slots[this.#slot] as Timer;
      // What is put from here on goes to another slot.
      while (slot.next !== slot) this.#fire(slot.next, nowMs);
    }
    if (this.#waiting > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
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
    if (nowMs - this.#measuredMs < MEASURE_EVERY_MS) return;
    this.#measuredMs = nowMs;
    // Not the event loop's utilization: libuv counts sleep as work when a socket that is not to be read ends it.
    const cpuMs = cpuTimeMs();
    const atMs = performance.now();
    const share = (cpuMs - this.#cpuMs) / (atMs - this.#cpuAtMs);
    this.#cpuMs = cpuMs;
    this.#cpuAtMs = atMs;
    const load = Math.min(1, Math.max(0, (share - IDLE) / (BUSY - IDLE)));
    // Half way each time: what is saved makes the thread less busy, and that must not swing to and fro.
    this.#load += (load - this.#load) / 2;
  }
}

/** What this thread alone has used of a core. */
function cpuTimeMs(): Millis {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function unlink(timer: Timer): void {
  timer.previous.next = timer.next;
  timer.next.previous = timer.previous;
  timer.previous = timer;
  timer.next = timer;
}
