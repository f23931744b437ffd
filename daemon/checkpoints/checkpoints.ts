import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Checkpoint, ResumePoint, SessionIdentity } from './checkpoint.ts';
import { DiskHealth } from './disk-health.ts';
import { PacedWriter, type Written } from './paced-writer.ts';
import { type Recovery, recover, STALE_AFTER_MS } from './recovery.ts';
import { SessionFiles } from './session-files.ts';
import type { StateDirectory } from './state-directory.ts';

/** Fragments may be as short as a block: a checkpoint a second is all that a restart gains from. */
const WRITE_EVERY_MS: Millis = 1000;
/** Session files that are written again together; each is an open file for a moment, and sockets need them too. */
const FILES_AT_ONCE = 250;

/** A running session, as its checkpoint sees it. */
export interface CheckpointSource extends SessionIdentity {
  /** From where it would resume now. */
  resumePoint(): Omit<ResumePoint, 'savedAtEpochMs'>;
}

/** A session of this thread, and what is on the disk of it. */
interface Tracked {
  readonly source: CheckpointSource;
  /** From where it resumes once it reads no more; until then the source is asked at every write. */
  frozen: ResumePoint | undefined;
  /** The generation of the key that its file is encrypted with; undefined before it is written. */
  keyGeneration: number | undefined;
  /** When what is on the disk of it was true; before anything is, when it first was to be there. */
  savedAtEpochMs: Millis;
}

/**
 * The checkpoints of a thread's sessions. What never changes of a session is in a file of its own, written once; where
 * all of them are is in one file, replaced at most once a second: a write per session and second was a quarter of the
 * daemon's CPU. Nothing here can hurt a call: a disk that fails costs the checkpoint and is logged.
 */
export class Checkpoints {
  readonly #thread: string;
  readonly #directory: StateDirectory;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #health: DiskHealth;
  readonly #files: SessionFiles;
  readonly #writer: PacedWriter;
  readonly #tracked = new Map<string, Tracked>();
  /** What was loaded, until its session moves or ends here: it must stay on the disk for the next crash. */
  readonly #inherited = new Map<string, ResumePoint>();
  #hasPositionsFile = false;

  /** @param thread names the positions file: no two that are in use at the same time may have the same */
  constructor(thread: string, directory: StateDirectory, clock: Clock, log: Log) {
    this.#thread = thread;
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
    this.#health = new DiskHealth(directory.path, log);
    this.#files = new SessionFiles(directory);
    this.#writer = new PacedWriter(() => this.#write(), WRITE_EVERY_MS, clock);
  }

  /** Of the sessions that run, the age of the oldest checkpoint; 0 when there is none. */
  get oldestAgeMs(): Millis {
    let oldest = Infinity;
    for (const { savedAtEpochMs } of this.#tracked.values()) oldest = Math.min(oldest, savedAtEpochMs);
    return Math.max(0, this.#clock.epoch() - oldest);
  }

  /** The session has got on: it is asked soon where it is. The first time it gets its file at once. */
  track(source: CheckpointSource): void {
    if (!this.#tracked.has(source.sessionId)) this.#begin(source);
    this.#writer.changed();
  }

  /** The session reads no more: from where it is now it would resume, whatever becomes of the rest. */
  freeze(sessionId: string): void {
    const tracked = this.#tracked.get(sessionId);
    if (!tracked) return;
    tracked.frozen = this.#resumePointOf(tracked);
    this.#writer.changed();
  }

  /**
   * The session is over: it must not come back. Resolves when nothing is left of it, or it cannot be removed. Where
   * another thread than the session's loaded it, that one's checkpoints are to be told after the session's own.
   */
  async remove(sessionId: string): Promise<void> {
    this.#tracked.delete(sessionId);
    this.#inherited.delete(sessionId);
    await this.#files.remove(sessionId).catch((error) => this.#health.failed(error));
    if (this.#isNeeded) this.#writer.changed();
    else if (this.#hasPositionsFile) await this.flush();
  }

  /**
   * What an earlier daemon left: sessions that can go on. Stale and broken files are removed. Before it resolves, where
   * all those sessions are is in this thread's own file, so that other threads may replace theirs: call it before they
   * begin, and with `only` when one of them is gone.
   *
   * @param only ids of the sessions that a thread had which is gone; files of others are left alone
   */
  async load(only?: ReadonlySet<string>): Promise<Checkpoint[]> {
    try {
      const recovery = await recover(this.#directory, this.#clock, this.#log, only);
      const { checkpoints } = recovery;
      const isSafe = await this.#inherit(checkpoints, recovery.threads.includes(this.#thread));
      await this.#clear(isSafe && !only ? recovery : { ...recovery, threads: [], unfinished: [] });
      return checkpoints;
    } catch (error) {
      this.#health.failed(error);
      return [];
    }
  }

  /** Writes now where the sessions are. Resolves with whether that is on the disk; never rejects. */
  flush(): Promise<boolean> {
    return this.#writer.flush();
  }

  get #isNeeded(): boolean {
    return this.#tracked.size + this.#inherited.size > 0;
  }

  #begin(source: CheckpointSource): void {
    const savedAtEpochMs = this.#clock.epoch();
    const tracked: Tracked = { source, frozen: undefined, keyGeneration: undefined, savedAtEpochMs };
    this.#tracked.set(source.sessionId, tracked);
    this.#inherited.delete(source.sessionId);
    this.#writeFile(tracked).catch((error) => this.#health.failed(error));
  }

  #resumePointOf({ frozen, source }: Tracked, nowEpochMs = this.#clock.epoch()): ResumePoint {
    return frozen ?? { ...source.resumePoint(), savedAtEpochMs: nowEpochMs };
  }

  /** Keeps on the disk what was loaded. Resolves with whether it is there. */
  #inherit(checkpoints: readonly Checkpoint[], hasPositionsFile: boolean): Promise<boolean> {
    for (const { sessionId, traceId: _, request: __, ...point } of checkpoints) this.#inherited.set(sessionId, point);
    this.#hasPositionsFile ||= hasPositionsFile;
    // Then it is stale, and goes even if its sessions run in other threads and this one has none.
    if (checkpoints.length > 0) this.#clock.after(STALE_AFTER_MS + WRITE_EVERY_MS, () => this.#writer.changed());
    return this.flush();
  }

  /** Removes what is worth nothing, or is in this thread's own file now. */
  async #clear({ dead, threads, unfinished }: Recovery): Promise<void> {
    try {
      for (const sessionId of dead) await this.#directory.removeSession(sessionId);
      for (const thread of threads) if (thread !== this.#thread) await this.#directory.removePositions(thread);
      for (const name of unfinished) await this.#directory.removeUnfinished(name);
    } catch (error) {
      this.#health.failed(error);
    }
  }

  async #write(): Promise<Written> {
    try {
      await this.#writePositions();
      const isToBeRepeated = await this.#writeFiles();
      this.#health.succeeded();
      return { isComplete: true, isToBeRepeated };
    } catch (error) {
      this.#health.failed(error);
      return { isComplete: false, isToBeRepeated: this.#isNeeded };
    }
  }

  async #writePositions(): Promise<void> {
    const nowEpochMs = this.#clock.epoch();
    for (const [sessionId, { savedAtEpochMs }] of this.#inherited)
      if (savedAtEpochMs < nowEpochMs - STALE_AFTER_MS) this.#inherited.delete(sessionId);
    const written = [...this.#tracked.values()];
    const isNeeded = this.#isNeeded;
    this.#hasPositionsFile ||= isNeeded;
    if (isNeeded) await this.#directory.writePositions(this.#thread, this.#positions(nowEpochMs));
    else if (this.#hasPositionsFile) await this.#directory.removePositions(this.#thread);
    this.#hasPositionsFile = isNeeded;
    // What was frozen while it was written is not what was written.
    for (const tracked of written)
      tracked.savedAtEpochMs = Math.min(nowEpochMs, tracked.frozen?.savedAtEpochMs ?? nowEpochMs);
  }

  #positions(nowEpochMs: Millis): Map<string, ResumePoint> {
    const positions = new Map(this.#inherited);
    for (const [sessionId, tracked] of this.#tracked) {
      positions.set(sessionId, this.#resumePointOf(tracked, nowEpochMs));
    }
    return positions;
  }

  /**
   * Session files that could not be written, or are encrypted with a secret that has been changed since. Gives whether
   * some are left for the next write.
   */
  async #writeFiles(): Promise<boolean> {
    const { keyGeneration } = this.#directory;
    const unwritten = [...this.#tracked.values()].filter((tracked) => tracked.keyGeneration !== keyGeneration);
    await Promise.all(unwritten.slice(0, FILES_AT_ONCE).map((tracked) => this.#writeFile(tracked)));
    return unwritten.length > FILES_AT_ONCE;
  }

  async #writeFile(tracked: Tracked): Promise<void> {
    const { sessionId, traceId, request } = tracked.source;
    let keyGeneration: number | undefined;
    await this.#files.write(sessionId, () => {
      keyGeneration = this.#directory.keyGeneration;
      if (this.#tracked.get(sessionId) !== tracked || tracked.keyGeneration === keyGeneration) return undefined;
      return { sessionId, traceId, request, ...this.#resumePointOf(tracked) };
    });
    tracked.keyGeneration = keyGeneration;
  }
}
