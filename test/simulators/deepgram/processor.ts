/** Runs work in order, no faster than its audio can be processed at a rate. */
export class Processor {
  readonly #rate: number;
  readonly #onIdle: () => void;
  readonly #waiting: { readonly dueAt: number; readonly work: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #busyUntil = 0;

  /**
   * @param rate relative to real time; Infinity to run work immediately
   * @param onIdle called after each turn of work
   */
  constructor(rate: number, onIdle: () => void) {
    this.#rate = rate;
    this.#onIdle = onIdle;
  }

  /** Call time that has not been processed. */
  get backlogMs(): number {
    return Number.isFinite(this.#rate) ? Math.max(0, this.#busyUntil - performance.now()) * this.#rate : 0;
  }

  /** Adds work that takes as long as processing `audioMs` of audio. */
  add(audioMs: number, work: () => void): void {
    if (!Number.isFinite(this.#rate)) {
      work();
      return;
    }
    this.#busyUntil = Math.max(this.#busyUntil, performance.now()) + audioMs / this.#rate;
    this.#waiting.push({ dueAt: this.#busyUntil, work });
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #arm(): void {
    const [next] = this.#waiting;
    if (!next || this.#timer) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, next.dueAt - performance.now()));
  }

  #run(): void {
    this.#timer = undefined;
    while ((this.#waiting[0]?.dueAt ?? Infinity) <= performance.now()) this.#waiting.shift()?.work();
    this.#onIdle();
    this.#arm();
  }
}
