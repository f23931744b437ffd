import { errorFields, type Log } from '../log/log.ts';

/** Logs when the disk starts to fail and when it recovers, not every failed write. */
export class DiskHealth {
  readonly #directory: string;
  readonly #log: Log;
  #isFailing = false;

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const fields = { event: 'checkpoint.failing', directory: this.#directory, ...errorFields(error) };
    this.#log.error(fields, 'cannot write checkpoints: calls continue, but would not survive a crash');
  }

  succeeded(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#log.info({ event: 'checkpoint.recovered', directory: this.#directory }, 'writing checkpoints again');
  }
}
