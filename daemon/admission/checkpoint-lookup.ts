import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';

/**
 * Finds the checkpoints that a thread left. All sessions of a thread are lost at once: those looked up in one turn of
 * the event loop are loaded together.
 */
export class CheckpointLookup {
  readonly #checkpoints: Pick<Checkpoints, 'load'> | undefined;
  /** Session ids for the next load; undefined when none is due. */
  #wanted: Set<string> | undefined;
  #loaded: Promise<readonly Checkpoint[]> = Promise.resolve([]);

  /** @param checkpoints undefined without STATE_DIR */
  constructor(checkpoints: Pick<Checkpoints, 'load'> | undefined) {
    this.#checkpoints = checkpoints;
  }

  /** The session's checkpoint; undefined when there is none that it can resume from. */
  async find(sessionId: string): Promise<Checkpoint | undefined> {
    if (!this.#wanted) this.#loaded = this.#loadSoon();
    this.#wanted?.add(sessionId);
    return (await this.#loaded).find((checkpoint) => checkpoint.sessionId === sessionId);
  }

  async #loadSoon(): Promise<readonly Checkpoint[]> {
    const wanted = new Set<string>();
    this.#wanted = wanted;
    await new Promise((resolve) => setImmediate(resolve));
    this.#wanted = undefined;
    return (await this.#checkpoints?.load(wanted)) ?? [];
  }
}
