import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Millis } from '../clock.ts';
import { errorFields, type Log } from '../observe/log.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Seal } from './seal.ts';

/** kinesis-video.md: without retention the last five minutes stay readable; an older checkpoint leads nowhere. */
const STALE_AFTER_MS: Millis = 5 * 60_000;
const SUFFIX = '.checkpoint.json';
const OWNER_ONLY = 0o600;

/**
 * The checkpoints of this daemon's sessions, a file each in STATE_DIR, replaced in one step so that a crash leaves the
 * old one or the new one. Nothing here can hurt a call: a disk that fails costs the checkpoint and is logged.
 */
export class Checkpoints {
  readonly #directory: string;
  readonly #seal: Seal;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Per session the work at its file that is under way, and what is to be saved after it. */
  readonly #working = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Checkpoint>();
  /** Per running session when its checkpoint was last written, or first was to be, in epoch milliseconds. */
  readonly #savedAt = new Map<string, Millis>();
  #failing = false;

  constructor(directory: string, seal: Seal, clock: Clock, log: Log) {
    this.#directory = directory;
    this.#seal = seal;
    this.#clock = clock;
    this.#log = log;
  }

  /** Of the sessions that run, the age of the oldest checkpoint; 0 when there is none. */
  get oldestAgeMs(): Millis {
    return Math.max(0, this.#clock.epoch() - Math.min(Infinity, ...this.#savedAt.values()));
  }

  /** Saves it soon, in place of the session's last one; of several that come while one is written the last counts. */
  save(checkpoint: Checkpoint): void {
    this.#next.set(checkpoint.sessionId, checkpoint);
    if (!this.#savedAt.has(checkpoint.sessionId)) this.#savedAt.set(checkpoint.sessionId, checkpoint.savedAtEpochMs);
    this.#work(checkpoint.sessionId, async () => {
      const latest = this.#next.get(checkpoint.sessionId);
      this.#next.delete(checkpoint.sessionId);
      if (latest) await this.#write(latest);
    });
  }

  /** The session is over: it must not come back. Resolves when its file is gone, or cannot be removed. */
  async remove(sessionId: string): Promise<void> {
    this.#next.delete(sessionId);
    await this.#work(sessionId, () => {
      this.#savedAt.delete(sessionId);
      return rm(this.#path(sessionId), { force: true });
    });
  }

  /**
   * What an earlier daemon, or a thread that ended, left: sessions that can go on. Stale and broken files are removed.
   * @param only these sessions; others may be running
   */
  async load(only?: ReadonlySet<string>): Promise<Checkpoint[]> {
    const checkpoints: Checkpoint[] = [];
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      for (const name of await readdir(this.#directory)) {
        if (!name.includes(SUFFIX) || (only && !only.has(name.slice(0, name.indexOf(SUFFIX))))) continue;
        const checkpoint = name.endsWith(SUFFIX) ? await this.#read(name) : undefined;
        if (checkpoint) checkpoints.push(checkpoint);
        else await rm(join(this.#directory, name), { force: true });
      }
    } catch (error) {
      this.#report(error);
    }
    return checkpoints;
  }

  async #read(name: string): Promise<Checkpoint | undefined> {
    try {
      const checkpoint = readCheckpoint(await readFile(join(this.#directory, name), 'utf8'), this.#seal);
      const ageMs = this.#clock.epoch() - checkpoint.savedAtEpochMs;
      if (ageMs <= STALE_AFTER_MS) return checkpoint;
      const { sessionId, traceId, request } = checkpoint;
      const fields = { event: 'checkpoint.stale', sessionId, contactId: request.contactId, traceId, ageMs };
      this.#log.warn(fields, 'a session is too old to go on');
    } catch (error) {
      const sessionId = name.slice(0, -SUFFIX.length);
      this.#log.warn({ event: 'checkpoint.unreadable', sessionId, ...errorFields(error) }, 'a session cannot go on');
    }
    return undefined;
  }

  async #write(checkpoint: Checkpoint): Promise<void> {
    const path = this.#path(checkpoint.sessionId);
    await writeFile(`${path}.new`, writeCheckpoint(checkpoint, this.#seal), { mode: OWNER_ONLY });
    await rename(`${path}.new`, path);
    this.#savedAt.set(checkpoint.sessionId, checkpoint.savedAtEpochMs);
  }

  /** Does it after whatever is under way at the session's file. */
  #work(sessionId: string, task: () => Promise<void>): Promise<void> {
    const work = (this.#working.get(sessionId) ?? Promise.resolve())
      .then(task)
      .then(
        () => this.#recovered(),
        (error: unknown) => this.#report(error),
      )
      .finally(() => {
        if (this.#working.get(sessionId) === work) this.#working.delete(sessionId);
      });
    this.#working.set(sessionId, work);
    return work;
  }

  /** Says once that the disk fails, not once per fragment of every call. */
  #report(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    const fields = { event: 'checkpoint.failing', directory: this.#directory, ...errorFields(error) };
    this.#log.error(fields, 'checkpoints cannot be written: calls go on, but would not outlive a crash');
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#log.info({ event: 'checkpoint.recovered', directory: this.#directory }, 'checkpoints are written again');
  }

  #path(sessionId: string): string {
    return join(this.#directory, `${sessionId}${SUFFIX}`);
  }
}
