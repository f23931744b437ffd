import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorFields, type Log } from '../log/log.ts';
import { bootId as thisBoot } from '../runtime/boot-id.ts';
import type { Cordon, DrainRecord, OrderStore } from './orders.ts';

const OWNER_ONLY = 0o600;

const drain = z.object({
  sinceEpochMs: z.number(),
  orders: z.array(
    z
      .object({
        source: z.enum(['operator', 'signal', 'lifecycle', 'spot', 'maintenance']),
        reason: z.string(),
        deadlineAtEpochMs: z.number().optional(),
      })
      .transform((order) => ({ deadlineAtEpochMs: undefined, ...order })),
  ),
});
const cordon = z.object({ sinceEpochMs: z.number(), reason: z.string() });

/** The part of node:fs/promises that is used; a test brings its own. */
type RecordDisk = Pick<typeof fs, 'mkdir' | 'readFile' | 'rename' | 'rm' | 'writeFile'>;

interface BootRecordOptions {
  /** STATE_DIR */
  readonly directory: string;
  readonly log: Log;
  /** Empty where nothing tells boots apart: then all records are taken to be of this one. */
  readonly bootId?: string;
  readonly disk?: RecordDisk;
}

/**
 * A JSON file in STATE_DIR for the next process of the same boot: an order does not apply to an instance that has come
 * back from a reboot. A disk that fails costs the record, never the order.
 */
class BootRecord<Order> implements OrderStore<Order> {
  readonly #directory: string;
  readonly #path: string;
  readonly #log: Log;
  readonly #bootId: string;
  readonly #disk: RecordDisk;
  readonly #schema: z.ZodType<Order>;
  /** Writes happen one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    schema: z.ZodType<Order>,
    { directory, log, bootId = thisBoot() ?? '', disk = fs }: BootRecordOptions,
  ) {
    this.#directory = directory;
    this.#path = join(directory, name);
    this.#log = log;
    this.#bootId = bootId;
    this.#disk = disk;
    this.#schema = schema;
  }

  /** What an earlier process of this boot has left; undefined when there is nothing or it cannot be read. */
  async load(): Promise<Order | undefined> {
    try {
      const json: unknown = JSON.parse(await this.#disk.readFile(this.#path, 'utf8'));
      const order = this.#schema.parse(json);
      return z.object({ bootId: z.string() }).parse(json).bootId === this.#bootId ? order : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#report(error);
      return undefined;
    }
  }

  save(order: Order): Promise<void> {
    const text = JSON.stringify({ bootId: this.#bootId, ...order });
    return this.#then(async () => {
      await this.#disk.mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await this.#disk.writeFile(`${this.#path}.new`, text, { mode: OWNER_ONLY });
      await this.#disk.rename(`${this.#path}.new`, this.#path);
    });
  }

  clear(): Promise<void> {
    return this.#then(() => this.#disk.rm(this.#path, { force: true }));
  }

  /** Resolves when everything written so far is on disk, or has failed. */
  settled(): Promise<void> {
    return this.#last;
  }

  #then(write: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(write).catch((error: unknown) => this.#report(error));
    return this.#last;
  }

  #report(error: unknown): void {
    const fields = { event: 'daemon.record-failed', file: this.#path, ...errorFields(error) };
    this.#log.warn(fields, 'cannot keep an order: a crash would grant a drain a new deadline, or end a cordon');
  }
}

/** The drain in progress: `drain.json`. */
export function drainRecord(options: BootRecordOptions): BootRecord<DrainRecord> {
  return new BootRecord<DrainRecord>('drain.json', drain, options);
}

/** The operator's cordon: `cordon.json`. */
export function cordonRecord(options: BootRecordOptions): BootRecord<Cordon> {
  return new BootRecord<Cordon>('cordon.json', cordon, options);
}
