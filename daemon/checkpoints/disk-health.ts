import { errorFields, type Log } from '../log/log.ts';

/** Logs that the disk fails, and that it works again: once each, not with every write. */
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
    this.#log.error(fields, 'checkpoints cannot be written: calls go on, but would not outlive a crash');
  }

  succeeded(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#log.info({ event: 'checkpoint.recovered', directory: this.#directory }, 'checkpoints are written again');
  }
}
