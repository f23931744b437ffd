/** A request that waits is answered after this long at the latest. */
const LONGEST_WAIT_MS = 60_000;

/** Tells requests that wait for something that it may have happened. */
export class News {
  readonly #checks = new Set<() => void>();

  /** Something has changed. */
  tell(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves once `holds` is true after a change, or after LONGEST_WAIT_MS. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (holds()) resolve();
    };
    const timer = setTimeout(resolve, LONGEST_WAIT_MS).unref();
    this.#checks.add(check);
    await promise;
    clearTimeout(timer);
    this.#checks.delete(check);
  }
}
