/** Tells requests that wait for something that it may have happened. */
export class News {
  readonly #checks = new Set<() => void>();

  /** Something has changed. */
  tell(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves once `holds` is true after a change, or after `atMostMs`. */
  async until(holds: () => boolean, atMostMs: number): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (holds()) resolve();
    };
    const timer = setTimeout(resolve, atMostMs).unref();
    this.#checks.add(check);
    await promise;
    clearTimeout(timer);
    this.#checks.delete(check);
  }
}
