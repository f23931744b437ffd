import type { Checkpoint } from './checkpoint.ts';
import type { StateDirectory } from './state-directory.ts';

/** The session files of a directory. Operations on one file run in order, so a late write cannot undo a removal. */
export class SessionFiles {
  readonly #directory: Pick<StateDirectory, 'writeSession' | 'removeSession'>;
  /** The last operation on each session's file. */
  readonly #operations = new Map<string, Promise<void>>();

  constructor(directory: Pick<StateDirectory, 'writeSession' | 'removeSession'>) {
    this.#directory = directory;
  }

  /** @param checkpoint called when it is this operation's turn; undefined writes nothing */
  write(sessionId: string, checkpoint: () => Checkpoint | undefined): Promise<void> {
    return this.#enqueue(sessionId, async () => {
      const written = checkpoint();
      if (written) await this.#directory.writeSession(written);
    });
  }

  remove(sessionId: string): Promise<void> {
    return this.#enqueue(sessionId, () => this.#directory.removeSession(sessionId));
  }

  /** Resolves when the operations so far have ended, well or not. */
  async settled(sessionId: string): Promise<void> {
    await this.#operations.get(sessionId)?.catch(() => {});
  }

  #enqueue(sessionId: string, task: () => Promise<void>): Promise<void> {
    const operation = (this.#operations.get(sessionId) ?? Promise.resolve()).then(task, task).finally(() => {
      if (this.#operations.get(sessionId) === operation) this.#operations.delete(sessionId);
    });
    this.#operations.set(sessionId, operation);
    return operation;
  }
}
