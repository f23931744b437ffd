import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Checkpoint, ResumePoint, SessionIdentity } from './checkpoint.ts';
import { DiskHealth } from './disk-health.ts';
import { PacedWriter, type Written } from './paced-writer.ts';
import { type DeadSession, type Recovery, recover, STALE_AFTER_MS } from './recovery.ts';
import { SessionFiles } from './session-files.ts';
import type { StateDirectory } from './state-directory.ts';

/** Fragments can be as short as a block; checkpoints more often than this would not help a restart. */
const WRITE_EVERY_MS: Millis = 1000;
/** Session files rewritten at once: each briefly takes a file descriptor, which sockets need too. */
const FILES_AT_ONCE = 250;

/** A running session, as the checkpoints see it. */
export interface CheckpointSource extends SessionIdentity {
  /** Where it would resume now. */
  resumePoint(): Omit<ResumePoint, 'savedAtEpochMs'>;
}

/** A session of this thread, and what the disk has of it. */
interface Tracked {
  readonly source: CheckpointSource;
  /** The final resume point, once the session has stopped reading; until then every write asks the source. */
  frozen: ResumePoint | undefined;
  /** Key generation of its file; undefined until the file is written. */
  keyGeneration: number | undefined;
  /** Time of the resume point on disk; before the first write, the time tracking began. */
  savedAtEpochMs: Millis;
}

/**
 * The checkpoints of a thread's sessions. Each session has a file for what never changes, written once. The resume points
 * of all sessions are in one positions file, replaced at most once a second: one write per session and second took a
 * quarter of the daemon's CPU. A failing disk costs checkpoints, never a call, and is logged.
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
  /** Loaded resume points, kept on disk for the next crash until their session is tracked here, ends, or goes stale. */
  readonly #inherited = new Map<string, ResumePoint>();
  #hasPositionsFile = false;

  /** @param thread names the positions file; must be unique among running threads */
  constructor(thread: string, directory: StateDirectory, clock: Clock, log: Log) {
    this.#thread = thread;
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
    this.#health = new DiskHealth(directory.path, log);
    this.#files = new SessionFiles(directory);
    this.#writer = new PacedWriter(() => this.#write(), WRITE_EVERY_MS, clock);
  }

  /** Age of the oldest checkpoint of a running session; 0 without sessions. */
  get oldestAgeMs(): Millis {
    let oldest = Infinity;
    for (const { savedAtEpochMs } of this.#tracked.values()) oldest = Math.min(oldest, savedAtEpochMs);
    return Math.max(0, this.#clock.epoch() - oldest);
  }

  /** Writes the session's file, and from now on its resume point with those of the others. */
  track(source: CheckpointSource): void {
    const savedAtEpochMs = this.#clock.epoch();
    const tracked: Tracked = { source, frozen: undefined, keyGeneration: undefined, savedAtEpochMs };
    this.#tracked.set(source.sessionId, tracked);
    this.#inherited.delete(source.sessionId);
    this.#writeFile(tracked).catch((error) => this.#health.failed(error));
    this.changed();
  }

  /** Resolves when the session's file is written, or cannot be; never rejects. */
  settled(sessionId: string): Promise<void> {
    return this.#files.settled(sessionId);
  }

  /** A tracked session has progressed: the resume points are written soon. */
  changed(): void {
    this.#writer.changed();
  }

  /** Fixes the session's resume point, because it has stopped reading. */
  freeze(sessionId: string): void {
    const tracked = this.#tracked.get(sessionId);
    if (!tracked) return;
    tracked.frozen = this.#resumePointOf(tracked);
    this.#writer.changed();
  }

  /**
   * The session has ended and must not come back. Resolves when its files are removed, or cannot be. If another thread
   * loaded the session, call that thread's `remove` after the one of the session's own thread.
   */
  async remove(sessionId: string): Promise<void> {
    this.#tracked.delete(sessionId);
    this.#inherited.delete(sessionId);
    await this.#files.remove(sessionId).catch((error) => this.#health.failed(error));
    if (this.#isNeeded) this.#writer.changed();
    else if (this.#hasPositionsFile) await this.flush();
  }

  /**
   * Loads the sessions that can resume, and removes stale and broken files. When it resolves, their resume points are
   * in this thread's own positions file, so other threads may replace theirs: call it before they start, and with `only`
   * when one of them has ended.
   *
   * @param only ids of the ended thread's sessions; the files of other threads stay
   * @param onDead called with each session that cannot resume
   */
  async load(only?: ReadonlySet<string>, onDead: (dead: DeadSession) => void = () => {}): Promise<Checkpoint[]> {
    try {
      const recovery = await recover(this.#directory, this.#clock, this.#log, only);
      const { checkpoints, dead } = recovery;
      const isSafe = await this.#inherit(checkpoints, recovery.threads.includes(this.#thread));
      await this.#clear(isSafe && !only ? recovery : { ...recovery, threads: [], unfinished: [] });
      dead.forEach(onDead);
      return checkpoints;
    } catch (error) {
      this.#health.failed(error);
      return [];
    }
  }

  /** Writes all resume points now. Resolves with whether they are on disk; never rejects. */
  flush(): Promise<boolean> {
    return this.#writer.flush();
  }

  get #isNeeded(): boolean {
    return this.#tracked.size + this.#inherited.size > 0;
  }

  #resumePointOf({ frozen, source }: Tracked, nowEpochMs = this.#clock.epoch()): ResumePoint {
    return frozen ?? { ...source.resumePoint(), savedAtEpochMs: nowEpochMs };
  }

  /** Writes loaded resume points to this thread's positions file. Resolves with whether they are on disk. */
  #inherit(checkpoints: readonly Checkpoint[], hasPositionsFile: boolean): Promise<boolean> {
    for (const { sessionId, traceId: _, request: __, timeZeroEpochMs: ___, ...point } of checkpoints)
      this.#inherited.set(sessionId, point);
    this.#hasPositionsFile ||= hasPositionsFile;
    // Stale by then: removed even if this thread has no sessions to write.
    if (checkpoints.length > 0) this.#clock.after(STALE_AFTER_MS + WRITE_EVERY_MS, () => this.#writer.changed());
    return this.flush();
  }

  /** Removes useless files, and positions that this thread's own file now has. */
  async #clear({ dead, threads, unfinished }: Recovery): Promise<void> {
    try {
      for (const { sessionId } of dead) await this.#directory.removeSession(sessionId);
      for (const thread of threads) if (thread !== this.#thread) await this.#directory.removePositions(thread);
      for (const name of unfinished) await this.#directory.removeUnfinished(name);
    } catch (error) {
      this.#health.failed(error);
    }
  }

  async #write(): Promise<Written> {
    try {
      await this.#writePositions();
      const isUnfinished = await this.#writeFiles();
      this.#health.succeeded();
      return { isComplete: true, isUnfinished };
    } catch (error) {
      this.#health.failed(error);
      return { isComplete: false, isUnfinished: this.#isNeeded };
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
    // A session may have been frozen during the write.
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
   * Writes the session files that are missing or encrypted with an old secret. Resolves with whether some are left for
   * the next write.
   */
  async #writeFiles(): Promise<boolean> {
    const { keyGeneration } = this.#directory;
    const unwritten = [...this.#tracked.values()].filter((tracked) => tracked.keyGeneration !== keyGeneration);
    await Promise.all(unwritten.slice(0, FILES_AT_ONCE).map((tracked) => this.#writeFile(tracked)));
    return unwritten.length > FILES_AT_ONCE;
  }

  async #writeFile(tracked: Tracked): Promise<void> {
    const { sessionId, traceId, request, timeZeroEpochMs } = tracked.source;
    let keyGeneration: number | undefined;
    await this.#files.write(sessionId, () => {
      keyGeneration = this.#directory.keyGeneration;
      if (this.#tracked.get(sessionId) !== tracked || tracked.keyGeneration === keyGeneration) return undefined;
      return { sessionId, traceId, request, timeZeroEpochMs, ...this.#resumePointOf(tracked) };
    });
    tracked.keyGeneration = keyGeneration;
  }
}
