import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';

/**
 * Finds the checkpoints of sessions that lost their thread. A thread's sessions are all lost at once, so lookups in the
 * same turn of the event loop share one load.
 */
export class CheckpointLookup {
  readonly #checkpoints: Pick<Checkpoints, 'load'> | undefined;
  /** Session ids for the next load; undefined when none is pending. */
  #wanted: Set<string> | undefined;
  #loaded: Promise<readonly Checkpoint[]> = Promise.resolve([]);

  /** @param checkpoints undefined without STATE_DIR */
  constructor(checkpoints: Pick<Checkpoints, 'load'> | undefined) {
    this.#checkpoints = checkpoints;
  }

  /** The session's checkpoint; undefined if it has none that is fresh and readable. */
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
