import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorFields, type Log } from '../log/log.ts';
import { bootId as thisBoot } from '../runtime/boot-id.ts';
import type { DrainRecord, DrainStore } from './drain.ts';

const OWNER_ONLY = 0o600;

const record = z.object({
  /** A record from before a reboot does not apply to the instance that has come back. */
  bootId: z.string(),
  sinceEpochMs: z.number(),
  orders: z.array(
    z.object({
      source: z.enum(['operator', 'signal', 'lifecycle', 'spot', 'maintenance']),
      reason: z.string(),
      deadlineAtEpochMs: z.number().optional(),
    }),
  ),
});

/** The part of node:fs/promises that is used; a test brings its own. */
type DrainDisk = Pick<typeof fs, 'mkdir' | 'readFile' | 'rename' | 'rm' | 'writeFile'>;

interface DrainFileOptions {
  /** STATE_DIR */
  readonly directory: string;
  readonly log: Log;
  /** Empty where nothing tells boots apart: then all records are taken to be of this one. */
  readonly bootId?: string;
  readonly disk?: DrainDisk;
}

/** The file `drain.json` in STATE_DIR. A disk that fails costs the record, never the drain. */
export class DrainFile implements DrainStore {
  readonly #directory: string;
  readonly #path: string;
  readonly #log: Log;
  readonly #bootId: string;
  readonly #disk: DrainDisk;
  /** Writes happen one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor({ directory, log, bootId = thisBoot() ?? '', disk = fs }: DrainFileOptions) {
    this.#directory = directory;
    this.#path = join(directory, 'drain.json');
    this.#log = log;
    this.#bootId = bootId;
    this.#disk = disk;
  }

  /** The drain that a crash interrupted; undefined when there is none or it cannot be read. */
  async load(): Promise<DrainRecord | undefined> {
    try {
      const { bootId, sinceEpochMs, orders } = record.parse(JSON.parse(await this.#disk.readFile(this.#path, 'utf8')));
      if (bootId !== this.#bootId) return undefined;
      return { sinceEpochMs, orders: orders.map((order) => ({ deadlineAtEpochMs: undefined, ...order })) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#report(error);
      return undefined;
    }
  }

  save({ sinceEpochMs, orders }: DrainRecord): void {
    const text = JSON.stringify({ bootId: this.#bootId, sinceEpochMs, orders });
    this.#then(async () => {
      await this.#disk.mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await this.#disk.writeFile(`${this.#path}.new`, text, { mode: OWNER_ONLY });
      await this.#disk.rename(`${this.#path}.new`, this.#path);
    });
  }

  clear(): void {
    this.#then(() => this.#disk.rm(this.#path, { force: true }));
  }

  /** Resolves when everything written so far is on disk, or has failed. */
  settled(): Promise<void> {
    return this.#last;
  }

  #then(write: () => Promise<void>): void {
    this.#last = this.#last.then(write).catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    const fields = { event: 'drain.record-failed', ...errorFields(error) };
    this.#log.warn(fields, 'cannot keep the record of the drain: a crash would grant it a new deadline');
  }
}
