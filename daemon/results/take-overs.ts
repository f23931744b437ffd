import type { Folder } from './spool/folder.ts';
import type { Marks } from './spool/marks.ts';
import { sessionMark, sessionName } from './spool/names.ts';
import { lineOf, type SpoolLine } from './spool/record.ts';
import type { Remains } from './spool/session-reader.ts';
import type { Spool } from './spool/spool.ts';

/** What a session that is known to be done takes in the spool. */
const DONE_BYTES = 200;

interface TakeOversDeps {
  readonly folder: Folder;
  readonly marks: Marks;
  readonly spool: Pick<Spool, 'flush' | 'isFailing'>;
}

/** A session that this thread continues, until the files that earlier processes left of it are gone. */
interface TakenOver {
  /** The epoch in which it is numbered here. */
  readonly epoch: number;
  readonly marks: string[];
  readonly hasLeft: boolean;
  isMarked: boolean;
  /** The spool has it, but its own files could not be removed, or may be where they cannot be. */
  isWritten: boolean;
}

/**
 * Removes what earlier processes and threads left of the sessions that this thread continues: when the spool has them, or
 * when they are done. While the disk fails their files are marked as behind. What cannot be removed must not bring a
 * session back that is over: the spool then keeps that it is done.
 */
export class TakeOvers {
  readonly #deps: TakeOversDeps;
  readonly #sessions = new Map<string, TakenOver>();
  readonly #taking = new Map<string, Promise<void>>();
  readonly #done = new Set<string>();

  constructor(deps: TakeOversDeps) {
    this.#deps = deps;
  }

  /** Bytes of `lines`. */
  get bytes(): number {
    return this.#done.size * DONE_BYTES;
  }

  /** The sessions that are done and may be in files that stay. */
  lines(): SpoolLine[] {
    return [...this.#done].map((sessionId) => lineOf({ kind: 'done', sessionId }));
  }

  /** Call this when the session's lines were passed to the spool. */
  add(sessionId: string, epoch: number, { marks, hasLeft }: Pick<Remains, 'marks' | 'hasLeft'>): void {
    this.#sessions.set(sessionId, { epoch, marks: [...marks], hasLeft, isMarked: false, isWritten: false });
    this.#take(sessionId);
  }

  /** Resolves when the disk says of each session that its numbers went on, or cannot say it. */
  async failing(): Promise<void> {
    for (const [sessionId, session] of this.#sessions) await this.#mark(sessionId, session);
  }

  recovered(): void {
    for (const sessionId of this.#sessions.keys()) this.#take(sessionId);
  }

  /** Call this when every event of a session is delivered, and before the spool learns it. Never rejects. */
  async finish(sessionId: string): Promise<void> {
    await this.#taking.get(sessionId);
    const session = this.#sessions.get(sessionId);
    if (!session) return;
    this.#sessions.delete(sessionId);
    if (!(await this.#remove(sessionId, session)) || session.hasLeft) this.#done.add(sessionId);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#taking.values());
  }

  #take(sessionId: string): void {
    const taking = this.#afterFlush(sessionId).finally(() => {
      if (this.#taking.get(sessionId) === taking) this.#taking.delete(sessionId);
    });
    this.#taking.set(sessionId, taking);
  }

  async #afterFlush(sessionId: string): Promise<void> {
    const { spool } = this.#deps;
    await spool.flush();
    const session = this.#sessions.get(sessionId);
    if (!session) return;
    session.isWritten ||= !spool.isFailing;
    if (!session.isWritten) await this.#mark(sessionId, session);
    else if ((await this.#remove(sessionId, session)) && !session.hasLeft) this.#sessions.delete(sessionId);
  }

  /** What was written is covered by the spool's own mark. */
  async #mark(sessionId: string, session: TakenOver): Promise<void> {
    if (session.isMarked || session.isWritten) return;
    const name = sessionMark(sessionId, session.epoch);
    session.isMarked = await this.#deps.marks.put(name);
    if (session.isMarked) session.marks.push(name);
  }

  /** True if nothing is left of its own files. */
  async #remove(sessionId: string, { marks }: TakenOver): Promise<boolean> {
    const { folder } = this.#deps;
    const removals = [folder.remove(sessionName(sessionId)), ...marks.map((name) => this.#deps.marks.remove(name))];
    return (await Promise.allSettled(removals)).every(({ status }) => status === 'fulfilled');
  }
}
