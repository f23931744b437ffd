import { errorFields, type Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Checkpoint, ResumePoint, SessionIdentity } from './checkpoint.ts';
import { type LeftBehind, readLeft, STALE_AFTER_MS } from './recovery.ts';
import type { StateDirectory } from './state-directory.ts';

/** Fragments may be as short as a block: a checkpoint a second is all that a restart gains from. */
const WRITE_EVERY_MS: Millis = 1000;
/** Session files that are written again together; each is an open file for a moment, and sockets need them too. */
const FILES_AT_ONCE = 250;

/** A running session, as its checkpoint sees it. */
export interface Followed extends SessionIdentity {
  /** Where it is now. */
  resumePoint(): Omit<ResumePoint, 'savedAtEpochMs'>;
}

interface Running {
  readonly session: Followed;
  /** Where it is once it reads no more; until then it is asked, and what it says is not kept. */
  settled: ResumePoint | undefined;
  /** The directory's `sealing` that its file is written with; undefined before it is. */
  filedWith: number | undefined;
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
  readonly #running = new Map<string, Running>();
  /** What was loaded, until its session moves or ends here: it must stay on the disk for the next crash. */
  readonly #inherited = new Map<string, ResumePoint>();
  /** Per session the work at its file that is under way. */
  readonly #working = new Map<string, Promise<void>>();
  #writing: Promise<boolean> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wroteAtMs: Millis = -Infinity;
  #hasChanged = false;
  #hasPositionsFile = false;
  #failing = false;

  /** @param thread names the positions file: no two that are in use at the same time may have the same */
  constructor(thread: string, directory: StateDirectory, clock: Clock, log: Log) {
    this.#thread = thread;
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
  }

  /** Of the sessions that run, the age of the oldest checkpoint; 0 when there is none. */
  get oldestAgeMs(): Millis {
    let oldest = Infinity;
    for (const { savedAtEpochMs } of this.#running.values()) oldest = Math.min(oldest, savedAtEpochMs);
    return Math.max(0, this.#clock.epoch() - oldest);
  }

  /** The session has got on: it is asked soon where it is. The first time it gets its file at once. */
  moved(session: Followed): void {
    if (!this.#running.has(session.sessionId)) this.#follow(session);
    this.#changed();
  }

  /** The session reads no more: from where it is now it would go on, whatever becomes of the rest. */
  settle(sessionId: string): void {
    const running = this.#running.get(sessionId);
    if (!running) return;
    running.settled = this.#where(running);
    this.#changed();
  }

  /**
   * The session is over: it must not come back. Resolves when nothing is left of it, or it cannot be removed. Where
   * another thread than the session's loaded it, that one's checkpoints are to be told after the session's own.
   */
  async remove(sessionId: string): Promise<void> {
    this.#running.delete(sessionId);
    this.#inherited.delete(sessionId);
    await this.#work(sessionId, () => this.#directory.removeSession(sessionId)).catch((error) => this.#report(error));
    if (this.#isNeeded) this.#changed();
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
      const left = await readLeft(this.#directory, this.#clock, this.#log, only);
      const { checkpoints } = left;
      const isSafe = await this.#inherit(checkpoints, left.threads.includes(this.#thread));
      await this.#clear(isSafe && !only ? left : { ...left, threads: [], unfinished: [] });
      return checkpoints;
    } catch (error) {
      this.#report(error);
      return [];
    }
  }

  /** Writes now where the sessions are. Resolves with whether that is on the disk; never rejects. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#writing) await this.#writing;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#hasChanged) this.#changed();
    });
    return this.#writing;
  }

  get #isNeeded(): boolean {
    return this.#running.size + this.#inherited.size > 0;
  }

  #follow(session: Followed): void {
    const savedAtEpochMs = this.#clock.epoch();
    const running: Running = { session, settled: undefined, filedWith: undefined, savedAtEpochMs };
    this.#running.set(session.sessionId, running);
    this.#inherited.delete(session.sessionId);
    this.#file(running).catch((error) => this.#report(error));
  }

  #where({ settled, session }: Running, nowEpochMs = this.#clock.epoch()): ResumePoint {
    return settled ?? { ...session.resumePoint(), savedAtEpochMs: nowEpochMs };
  }

  /** Keeps on the disk what was loaded. Resolves with whether it is there. */
  #inherit(checkpoints: readonly Checkpoint[], hasPositionsFile: boolean): Promise<boolean> {
    for (const { sessionId, traceId: _, request: __, ...where } of checkpoints) this.#inherited.set(sessionId, where);
    this.#hasPositionsFile ||= hasPositionsFile;
    // Then it is stale, and goes even if its sessions run in other threads and this one has none.
    if (checkpoints.length > 0) setTimeout(() => this.#changed(), STALE_AFTER_MS + WRITE_EVERY_MS).unref();
    return this.flush();
  }

  /** Removes what is worth nothing, or is in this thread's own file now. */
  async #clear({ dead, threads, unfinished }: LeftBehind): Promise<void> {
    try {
      for (const sessionId of dead) await this.#directory.removeSession(sessionId);
      for (const thread of threads) if (thread !== this.#thread) await this.#directory.removePositions(thread);
      for (const name of unfinished) await this.#directory.removeUnfinished(name);
    } catch (error) {
      this.#report(error);
    }
  }

  /** Sees to it that what has changed is written, at most once a second. */
  #changed(): void {
    this.#hasChanged = true;
    if (this.#timer || this.#writing) return;
    const inMs = Math.max(0, this.#wroteAtMs + WRITE_EVERY_MS - this.#clock.now());
    this.#timer = setTimeout(() => this.flush(), inMs);
  }

  async #write(): Promise<boolean> {
    this.#hasChanged = false;
    this.#wroteAtMs = this.#clock.now();
    try {
      await this.#writePositions();
      await this.#writeUnfiled();
      this.#recovered();
      return true;
    } catch (error) {
      this.#report(error);
      this.#hasChanged ||= this.#isNeeded;
      return false;
    }
  }

  async #writePositions(): Promise<void> {
    const nowEpochMs = this.#clock.epoch();
    for (const [sessionId, { savedAtEpochMs }] of this.#inherited)
      if (savedAtEpochMs < nowEpochMs - STALE_AFTER_MS) this.#inherited.delete(sessionId);
    const asked = [...this.#running.values()];
    const isNeeded = this.#isNeeded;
    this.#hasPositionsFile ||= isNeeded;
    if (isNeeded) await this.#directory.writePositions(this.#thread, this.#positions(nowEpochMs));
    else if (this.#hasPositionsFile) await this.#directory.removePositions(this.#thread);
    this.#hasPositionsFile = isNeeded;
    // What was settled while it was written is not what was written.
    for (const running of asked)
      running.savedAtEpochMs = Math.min(nowEpochMs, running.settled?.savedAtEpochMs ?? nowEpochMs);
  }

  #positions(nowEpochMs: Millis): Map<string, ResumePoint> {
    const positions = new Map(this.#inherited);
    for (const [sessionId, running] of this.#running) positions.set(sessionId, this.#where(running, nowEpochMs));
    return positions;
  }

  /** Session files that could not be written, or are sealed with a secret that has been changed since. */
  async #writeUnfiled(): Promise<void> {
    const { sealing } = this.#directory;
    const unfiled = [...this.#running.values()].filter(({ filedWith }) => filedWith !== sealing);
    this.#hasChanged ||= unfiled.length > FILES_AT_ONCE;
    await Promise.all(unfiled.slice(0, FILES_AT_ONCE).map((running) => this.#file(running)));
  }

  #file(running: Running): Promise<void> {
    const { session } = running;
    const { sessionId, traceId, request } = session;
    return this.#work(sessionId, async () => {
      const { sealing } = this.#directory;
      if (this.#running.get(sessionId) !== running || running.filedWith === sealing) return;
      await this.#directory.writeSession({ sessionId, traceId, request, ...this.#where(running) });
      running.filedWith = sealing;
    });
  }

  /** Does it after whatever is under way at the session's file, and rejects as it does. */
  #work(sessionId: string, task: () => Promise<void>): Promise<void> {
    const work = (this.#working.get(sessionId) ?? Promise.resolve()).then(task, task).finally(() => {
      if (this.#working.get(sessionId) === work) this.#working.delete(sessionId);
    });
    this.#working.set(sessionId, work);
    return work;
  }

  /** Says once that the disk fails, not once a second. */
  #report(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    const fields = { event: 'checkpoint.failing', directory: this.#directory.path, ...errorFields(error) };
    this.#log.error(fields, 'checkpoints cannot be written: calls go on, but would not outlive a crash');
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#log.info({ event: 'checkpoint.recovered', directory: this.#directory.path }, 'checkpoints are written again');
  }
}
