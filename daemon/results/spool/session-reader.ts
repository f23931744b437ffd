import { errorFields } from '../../log/log.ts';
import type { Cancel, Clock, Millis } from '../../runtime/clock.ts';
import { Merged, type RecoveredSession } from './merged.ts';
import { epochOfMark, sessionIdOf, sessionName } from './names.ts';
import { contentOf, leftOf, type RecoveryOptions } from './recovery.ts';

/** After a restart many sessions are opened at once. */
const KEEP_LEFT_MS: Millis = 60_000;

/** What earlier processes and threads left of a session. */
export interface Remains {
  readonly found: RecoveredSession | undefined;
  /** Numbers of this epoch were used that may be in no file; 0 without such an epoch. */
  readonly usedEpoch: number;
  /** The session's marks. */
  readonly marks: readonly string[];
  /** Files stay that recovery could not replace: they bring the session back unless it is known to be done. */
  readonly hasLeft: boolean;
}

const NOTHING: Remains = { found: undefined, usedEpoch: 0, marks: [], hasLeft: false };

/** Reads what recovery found of sessions, in their own files or in those that recovery could not replace. */
export class SessionReader {
  readonly #options: RecoveryOptions & { readonly timers: Clock };
  #left: { readonly names: string; readonly merged: Promise<LeftSessions> } | undefined;
  #cancel: Cancel | undefined;

  constructor(options: RecoveryOptions & { readonly timers: Clock }) {
    this.#options = options;
  }

  /** Never rejects. */
  async read(sessionId: string): Promise<Remains> {
    const { folder, marks, process, boot, log } = this.#options;
    try {
      const [names, marked] = await Promise.all([folder.list(), marks.names()]);
      const left = leftOf(names, new Set(marked), process);
      const others = left.length > 0 ? await this.#leftSessions(left) : undefined;
      const own = await contentOf(sessionName(sessionId), this.#options);
      const merged = new Merged();
      merged.add(own, others?.isIncomplete ?? false, boot);
      if (others) merged.addSession(sessionId, others.merged);
      const mine = marked.filter((name) => epochOfMark(name) > 0 && sessionIdOf(name) === sessionId);
      const usedEpoch = Math.max(0, ...mine.map(epochOfMark));
      return { found: merged.session(sessionId), usedEpoch, marks: mine, hasLeft: left.length > 0 };
    } catch (error) {
      const fields = { event: 'results.spool-unreadable', sessionId, ...errorFields(error) };
      log.error(fields, 'cannot read the undelivered events of the session: they stay on disk');
      return NOTHING;
    }
  }

  /** Never rejects. */
  async removeMarks({ marks }: Remains): Promise<void> {
    for (const name of marks) await this.#options.marks.remove(name).catch(() => {});
  }

  #leftSessions(names: readonly string[]): Promise<LeftSessions> {
    const key = names.join();
    if (this.#left?.names !== key) {
      this.#left = { names: key, merged: readLeft(names, this.#options) };
      this.#cancel?.();
      this.#cancel = this.#options.timers.after(KEEP_LEFT_MS, () => {
        this.#left = undefined;
      });
    }
    return this.#left.merged;
  }
}

interface LeftSessions {
  readonly merged: Merged;
  /** A file could not be read. */
  readonly isIncomplete: boolean;
}

/** A disk that refuses a recovery may have refused what came before it: all of it is stale. */
async function readLeft(names: readonly string[], options: RecoveryOptions): Promise<LeftSessions> {
  const merged = new Merged();
  let isIncomplete = false;
  for (const name of names) {
    try {
      merged.add(await contentOf(name, options), true, options.boot);
    } catch {
      isIncomplete = true;
    }
  }
  return { merged, isIncomplete };
}
