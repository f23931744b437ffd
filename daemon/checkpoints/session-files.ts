import type { Checkpoint } from './checkpoint.ts';
import type { StateDirectory } from './state-directory.ts';

/** The session files of a directory. Work on one session's file is done in order: a late write must not undo a removal. */
export class SessionFiles {
  readonly #directory: Pick<StateDirectory, 'writeSession' | 'removeSession'>;
  /** Per session the last work at its file. */
  readonly #working = new Map<string, Promise<void>>();

  constructor(directory: Pick<StateDirectory, 'writeSession' | 'removeSession'>) {
    this.#directory = directory;
  }

  /** @param checkpoint gives what is to be written when it is the file's turn; undefined for nothing */
  write(sessionId: string, checkpoint: () => Checkpoint | undefined): Promise<void> {
    return this.#work(sessionId, async () => {
      const written = checkpoint();
      if (written) await this.#directory.writeSession(written);
    });
  }

  remove(sessionId: string): Promise<void> {
    return this.#work(sessionId, () => this.#directory.removeSession(sessionId));
  }

  #work(sessionId: string, task: () => Promise<void>): Promise<void> {
    const work = (this.#working.get(sessionId) ?? Promise.resolve()).then(task, task).finally(() => {
      if (this.#working.get(sessionId) === work) this.#working.delete(sessionId);
    });
    this.#working.set(sessionId, work);
    return work;
  }
}
