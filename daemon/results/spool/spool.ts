import { errorFields, type Log } from '../../log/log.ts';
import type { Cancel, Clock, Millis } from '../../runtime/clock.ts';
import type { Sealing } from '../../secrets/sealing.ts';
import type { Folder, GrowingFile } from './folder.ts';
import { LineBuffer } from './line-buffer.ts';
import type { Marks } from './marks.ts';
import { spoolMark, spoolName, staleName, unfinishedName } from './names.ts';
import { frameOf, lineOf, type SpoolLine, type SpoolRecord } from './record.ts';

/**
 * One write, one seal and one round of requests for what all sessions of a thread have in this time; an event waits for
 * half of it on average. With 20 ms, a call with results took 1 to 7 % more CPU.
 */
const COMMIT_MS: Millis = 50;
/** Acknowledgments alone can wait: without them an event is delivered again, under the same id. */
const RELAXED_COMMIT_MS: Millis = 500;
/**
 * A smaller file is not rewritten: 400 sessions add about 1 MB a second, and need as much whenever it is rewritten. The
 * lower bound holds where RESULTS_SPOOL_MIB leaves less.
 */
const SMALLEST_REWRITE_BYTES = { most: 16 * 1024 * 1024, least: 4 * 1024 * 1024 };
/** A rewritten file is sealed in parts of this size, so that it does not block the thread. */
const PART_BYTES = 512 * 1024;
/** After a failed write, the whole file is rewritten. */
const RETRY_MS: Millis = 5000;

/** A session whose events are in the spool. */
export interface SpoolOwner {
  /** Everything it wrote up to this commit is on disk, or cannot be. */
  committed(): void;
}

/** What of the spool is still needed. */
export interface LiveContent {
  readonly bytes: number;
  /** The lines of all sessions that have something left. */
  lines(): readonly SpoolLine[];
  /** The disk fails: called after each attempt to write, before events that are not on it are delivered. Never rejects. */
  failing(): Promise<void>;
  /** All lines are on disk again. */
  recovered(): void;
}

interface SpoolOptions {
  readonly folder: Folder;
  readonly marks: Marks;
  /** Names the file; unique among running threads. */
  readonly thread: string;
  /** Names the process in its files: a file that another process left is neither written nor replaced. */
  readonly process: string;
  /** Identifies this boot of the machine: page cache does not survive another one. */
  readonly boot: string;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly log: Log;
  readonly live: LiveContent;
  /** The most that may be needed of it. */
  readonly mostBytes: number;
}

/**
 * A thread's file of undelivered events, appended to in groups, and rewritten when more than half of it is no longer
 * needed. Nothing waits for the disk itself (no fsync): what is written survives the process, and after a crash of the
 * machine sessions continue under a new epoch. A failing disk costs this safety, never a call, and is logged.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #name: string;
  readonly #smallestRewriteBytes: number;
  /** What the next commit writes. */
  readonly #lines = new LineBuffer();
  #owners = new Set<SpoolOwner>();
  #file: GrowingFile | undefined;
  #fileBytes = 0;
  #sealedWith = 0;
  #commit = 1;
  #committed = 0;
  #writing: Promise<void> | undefined;
  #cancelTimer: Cancel | undefined;
  #dueAtMs: Millis = Infinity;
  #failedAtMs: Millis | undefined;
  /** It is known, or marked, that the file is behind. */
  #isMarked = false;
  #isClosed = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#name = spoolName(options.thread, options.process);
    const { most, least } = SMALLEST_REWRITE_BYTES;
    this.#smallestRewriteBytes = Math.min(most, Math.max(least, options.mostBytes));
  }

  /** Writes up to this commit are on disk, or cannot be. */
  get committed(): number {
    return this.#committed;
  }

  get isFailing(): boolean {
    return this.#failedAtMs !== undefined;
  }

  /** Adds a line to the next commit and returns its number. The owner is called when it is done. */
  write(line: SpoolLine, owner: SpoolOwner): number {
    this.#lines.add(line);
    this.#owners.add(owner);
    this.#schedule(COMMIT_MS);
    return this.#commit;
  }

  /** Writes a line without urgency: no delivery waits for it. */
  note(line: SpoolLine): void {
    this.#lines.add(line);
    this.#schedule(RELAXED_COMMIT_MS);
  }

  /** Resolves when everything written so far is on disk, or cannot be. Never rejects. */
  async flush(): Promise<void> {
    const commit = this.#commit;
    while (this.#committed < commit && this.#lines.length > 0) {
      await this.#writing;
      if (this.#committed < commit) await this.#write();
    }
    await this.#writing;
  }

  /** Flushes and closes the file. It stays for the next process unless nothing in it is needed. */
  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#closeFile();
    if (this.#options.live.bytes === 0) await this.#remove().catch(() => {});
  }

  async #remove(): Promise<void> {
    await this.#options.folder.remove(this.#name);
    await this.#removeStale();
  }

  #schedule(ms: Millis): void {
    if (this.#writing || this.#isClosed) return;
    const dueAtMs = this.#options.clock.now() + ms;
    if (dueAtMs >= this.#dueAtMs) return;
    this.#cancelTimer?.();
    this.#dueAtMs = dueAtMs;
    this.#cancelTimer = this.#options.clock.after(ms, () => void this.#write());
  }

  #write(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#dueAtMs = Infinity;
    this.#writing ??= this.#writeOnce().finally(() => {
      this.#writing = undefined;
      if (this.#owners.size > 0) this.#schedule(COMMIT_MS);
      else if (this.#lines.length > 0) this.#schedule(RELAXED_COMMIT_MS);
      // What failed is written again even if nothing happens meanwhile.
      else if (this.isFailing) this.#schedule(RETRY_MS);
    });
    return this.#writing;
  }

  async #writeOnce(): Promise<void> {
    const [lines, owners, commit] = [this.#lines.take(), this.#owners, this.#commit++];
    this.#owners = new Set();
    try {
      if (this.#needsRewrite) await this.#rewrite();
      else if (!this.#isWaiting) await this.#append(lines);
    } catch (error) {
      await this.#fail(error);
    }
    this.#committed = commit;
    for (const owner of owners) owner.committed();
  }

  /** True while a failed disk is left alone. */
  get #isWaiting(): boolean {
    return this.#failedAtMs !== undefined && this.#options.clock.now() - this.#failedAtMs < RETRY_MS;
  }

  get #needsRewrite(): boolean {
    if (this.#isWaiting) return false;
    const { live, sealing } = this.#options;
    if (!this.#file || this.#sealedWith !== sealing.generation) return true;
    return this.#fileBytes > this.#smallestRewriteBytes && live.bytes * 2 < this.#fileBytes;
  }

  /** Seals the lines before it waits: they are lent. */
  async #append(lines: Buffer): Promise<void> {
    const frame = frameOf(lines, this.#options.sealing);
    await this.#file?.append(frame.parts);
    this.#fileBytes += frame.bytes;
  }

  /** Writes what is needed to another file, which then takes this one's place. */
  async #rewrite(): Promise<void> {
    const { folder, sealing, live, boot } = this.#options;
    const generation = sealing.generation;
    // As of now: what follows is appended.
    const lines = [lineOf({ kind: 'boot', boot } satisfies SpoolRecord), ...live.lines()];
    const name = unfinishedName(this.#name);
    const file = await folder.create(name);
    let bytes = 0;
    try {
      for (const part of partsOf(lines)) {
        const frame = frameOf(part, sealing);
        await file.append(frame.parts);
        bytes += frame.bytes;
      }
      await folder.rename(name, this.#name);
    } catch (error) {
      await file.close().catch(() => {});
      await folder.remove(name).catch(() => {});
      throw error;
    }
    await this.#closeFile();
    this.#file = file;
    this.#fileBytes = bytes;
    this.#sealedWith = generation;
    await this.#recover();
  }

  async #recover(): Promise<void> {
    if (this.#failedAtMs === undefined) return;
    const { folder, live, log } = this.#options;
    await this.#removeStale();
    this.#failedAtMs = undefined;
    this.#isMarked = false;
    log.info({ event: 'results.spool-recovered', directory: folder.path }, 'writing undelivered events to disk again');
    live.recovered();
  }

  async #removeStale(): Promise<void> {
    await this.#options.folder.remove(staleName(this.#name));
    await this.#options.marks.remove(spoolMark(this.#name));
  }

  async #fail(error: unknown): Promise<void> {
    const { folder, live, log, clock } = this.#options;
    const isFirst = this.#failedAtMs === undefined;
    this.#failedAtMs = clock.now();
    await this.#closeFile();
    if (isFirst) {
      const fields = { event: 'results.spool-failing', directory: folder.path, ...errorFields(error) };
      log.error(fields, 'cannot write undelivered events to disk: they are delivered, but would not survive a crash');
    }
    // After a crash its sessions must not number other events the same way.
    if (!this.#isMarked) this.#isMarked = await this.#mark();
    await live.failing();
  }

  /** Marks the file as behind. A disk that is full can rename; one that is read-only cannot. */
  async #mark(): Promise<boolean> {
    const { folder, marks } = this.#options;
    try {
      await folder.rename(this.#name, staleName(this.#name));
      return true;
    } catch (error) {
      // No write has succeeded yet.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
      return marks.put(spoolMark(this.#name));
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }
}

/** The lines in parts of a limited size, each line whole. A part is lent until the next one. */
function* partsOf(lines: readonly SpoolLine[]): Generator<Buffer> {
  const buffer = new LineBuffer();
  for (const line of lines) {
    buffer.add(line);
    if (buffer.length >= PART_BYTES) yield buffer.take();
  }
  if (buffer.length > 0) yield buffer.take();
}
