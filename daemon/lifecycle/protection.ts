import { inBackground, type Persistence, persist } from './retry.ts';

/** The instance's protection from scale-in: what is wanted last is what comes about, one request at a time. */
export class ScaleInProtection {
  readonly #set: (isProtected: boolean, signal: AbortSignal) => Promise<void>;
  readonly #persistence: Persistence;
  /** As Auto Scaling was last heard to have it. */
  #current: boolean;
  #wanted: boolean;
  #work: Promise<void> | undefined;

  constructor(
    isProtected: boolean,
    set: (isProtected: boolean, signal: AbortSignal) => Promise<void>,
    persistence: Persistence,
  ) {
    this.#current = isProtected;
    this.#wanted = isProtected;
    this.#set = set;
    this.#persistence = persistence;
  }

  /** Resolves when nothing is left to do; never rejects. */
  want(isProtected: boolean): Promise<void> {
    this.#wanted = isProtected;
    if (this.#persistence.signal.aborted) return Promise.resolve();
    this.#work ??= inBackground(this.#bringAbout(), this.#persistence).finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  async #bringAbout(): Promise<void> {
    while (this.#current !== this.#wanted) {
      await persist('change the scale-in protection', (signal) => this.#change(signal), this.#persistence);
    }
  }

  /** Asks even for what seems to be so: an attempt before that failed may have been done all the same. */
  async #change(signal: AbortSignal): Promise<void> {
    const isProtected = this.#wanted;
    await this.#set(isProtected, signal);
    this.#current = isProtected;
    const message = isProtected ? 'scale-in spares this instance while calls run' : 'scale-in may take this instance';
    this.#persistence.log.info({ event: 'lifecycle.protection', isProtected }, message);
  }
}
