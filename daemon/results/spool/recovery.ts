import { errorFields, type Log } from '../../log/log.ts';
import type { Sealing } from '../../secrets/sealing.ts';
import { type Folder, replaceFile } from './folder.ts';
import { LineBuffer } from './line-buffer.ts';
import type { Marks } from './marks.ts';
import { Merged } from './merged.ts';
import {
  isLeft,
  isSpool,
  isStale,
  isUnfinished,
  leftName,
  processOf,
  sessionIdOf,
  sessionName,
  spoolMark,
  spoolName,
  unreadableName,
} from './names.ts';
import { type FileContent, frameOf, readFrames } from './record.ts';

export interface RecoveryOptions {
  readonly folder: Folder;
  readonly marks: Marks;
  /** Names the process in its files. */
  readonly process: string;
  readonly boot: string;
  readonly sealing: Sealing;
  readonly log: Log;
}

/**
 * Gives each session in the files of ended threads a file of its own, so that whichever thread continues it can take it
 * over, and removes the files of the threads once each session has its own. Until then all of them stay: sessions that
 * have none are read from them (session-reader.ts), and the next start tries again. A crash at any moment leaves a state
 * that can be read again. Resolves with the ids of all sessions that have something left. Never rejects: what the disk
 * refuses is logged.
 * @param threads names of ended threads of this process; undefined for all files, before any thread has one
 */
export async function splitSpools(options: RecoveryOptions, threads?: readonly string[]): Promise<string[]> {
  const { folder, marks, log } = options;
  try {
    const [names, marked] = await Promise.all([folder.list(), marks.names()]);
    const split = new Split(options, names, marked);
    await split.run(threads);
    if (threads) return split.ids;
    const left = [...(await folder.list()), ...(await marks.names())];
    return [...new Set([...split.ids, ...left.flatMap((name) => sessionIdOf(name) ?? [])])];
  } catch (error) {
    const fields = { event: 'results.spool-unreadable', directory: folder.path, ...errorFields(error) };
    log.error(fields, 'cannot read the undelivered events of an earlier process: they stay on disk for the next start');
    return [];
  }
}

/** One run of a recovery. What fails is noted, and the rest continues. */
class Split {
  readonly #options: RecoveryOptions;
  readonly #names: readonly string[];
  readonly #marked: ReadonlySet<string>;
  readonly #found = new Merged();
  #faults = 0;
  #firstFault: unknown;

  constructor(options: RecoveryOptions, names: readonly string[], marked: readonly string[]) {
    this.#options = options;
    this.#names = names;
    this.#marked = new Set(marked);
  }

  /** Sessions of the threads that have something left. */
  get ids(): string[] {
    return this.#found.ids.filter((sessionId) => this.#found.session(sessionId) !== undefined);
  }

  async run(threads: readonly string[] | undefined): Promise<void> {
    const { folder, process, boot } = this.#options;
    const isSource = (name: string) =>
      isSpool(name) && (!threads || threads.some((thread) => name.startsWith(spoolName(thread, process))));
    const sources = inOrder(this.#names.filter(isSource));
    await this.#read(sources);
    for (const sessionId of this.#found.ids) {
      await this.#try(() => writeSession(sessionId, this.#found.linesOf(sessionId, boot), this.#options));
    }
    const others = leftOf(this.#names, this.#marked, process).filter((name) => !sources.includes(name));
    // A file that stays brings its sessions back, unless what others have of them stays too.
    if (this.#faults === 0 && others.length === 0) for (const name of sources) await this.#try(() => this.#drop(name));
    else if (threads) for (const name of sources) await this.#leave(name);
    if (!threads) for (const name of this.#names.filter(isUnfinished)) await folder.remove(name).catch(() => {});
    this.#report();
  }

  async #read(sources: readonly string[]): Promise<void> {
    const { boot } = this.#options;
    const contents: { readonly content: FileContent; readonly isStale: boolean }[] = [];
    let isUnknown = false;
    for (const name of sources) {
      const content = await this.#try(() => contentOf(name, this.#options));
      if (content) contents.push({ content, isStale: isStale(name) || this.#marked.has(spoolMark(name)) });
      // Any session may have gone on in a file of which nothing can be read.
      isUnknown ||= !content || (content.lines.length === 0 && content.unreadableBytes > 0);
    }
    // What a session's own file has is older than what a thread wrote after it took the file over.
    for (const name of new Set(contents.flatMap(({ content }) => sessionsIn(content).map(sessionName)))) {
      if (!this.#names.includes(name)) continue;
      const content = await this.#try(() => contentOf(name, this.#options));
      if (content) this.#found.add(content, isUnknown, boot);
    }
    for (const { content, isStale } of contents) this.#found.add(content, isUnknown || isStale, boot);
  }

  async #drop(name: string): Promise<void> {
    const { folder, marks } = this.#options;
    await folder.remove(name);
    for (const mark of [spoolMark(name), leftName(name)]) if (this.#marked.has(mark)) await marks.remove(mark);
  }

  /** Says to the threads that the file is no running one's. */
  async #leave(name: string): Promise<void> {
    const { folder, marks } = this.#options;
    await folder.rename(name, leftName(name)).catch(() => marks.put(leftName(name)));
  }

  async #try<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      this.#firstFault ??= error;
      this.#faults++;
      return undefined;
    }
  }

  #report(): void {
    if (this.#faults === 0) return;
    const { folder, log } = this.#options;
    const fields = { event: 'results.spool-left', directory: folder.path, faults: this.#faults };
    log.error(
      { ...fields, ...errorFields(this.#firstFault) },
      'the files of an earlier process or thread stay on disk: what can be read of them is delivered, and the next start tries again',
    );
  }
}

/** Files of earlier processes, and of ended threads of this one, that recovery could not replace. */
export function leftOf(names: readonly string[], marked: ReadonlySet<string>, process: string): string[] {
  return names.filter((name) => isLeft(name, process) || (isSpool(name) && marked.has(leftName(name))));
}

function sessionsIn({ lines }: FileContent): string[] {
  return lines.flatMap(({ record }) => (record.kind === 'session' ? [record.session.sessionId] : []));
}

/** Files that were begun earlier come first. */
function inOrder(names: readonly string[]): string[] {
  return names.toSorted((one, other) => (processOf(one) < processOf(other) ? -1 : 1));
}

/** Rejects with the error of the disk. */
export async function contentOf(name: string, { folder, sealing, log }: RecoveryOptions): Promise<FileContent> {
  const bytes = await folder.read(name);
  if (!bytes) return { lines: [], tornBytes: 0, unreadableBytes: 0 };
  const content = readFrames(bytes, sealing);
  const { tornBytes, unreadableBytes, lines } = content;
  if (unreadableBytes > 0) {
    const fields = { event: 'results.spool-unreadable', file: name, bytes: unreadableBytes };
    log.error(fields, 'undelivered events of an earlier process were sealed with another key, or are corrupt');
    // For an operator who finds the key.
    if (lines.length === 0) await folder.rename(name, unreadableName(name));
  }
  if (tornBytes > 0) {
    log.info({ event: 'results.spool-torn', file: name, bytes: tornBytes }, 'ignored a write that a crash interrupted');
  }
  return content;
}

async function writeSession(
  sessionId: string,
  lines: ReturnType<Merged['linesOf']>,
  { folder, sealing }: RecoveryOptions,
): Promise<void> {
  if (lines.length === 0) {
    await folder.remove(sessionName(sessionId));
    return;
  }
  const buffer = new LineBuffer();
  for (const line of lines) buffer.add(line);
  const { parts } = frameOf(buffer.take(), sealing);
  await replaceFile(folder, sessionName(sessionId), Buffer.concat(parts));
}
