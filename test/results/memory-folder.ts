import type { Folder } from '../../daemon/results/spool/folder.ts';

interface OpenFile {
  name: string;
  /** Its content, and room for more. */
  memory: Buffer;
}

/** A directory in memory that can fail, and be left as a crash leaves it. */
export class MemoryFolder implements Folder {
  readonly path = '/state/results';
  readonly files: Map<string, Buffer>;
  /** What every write fails with; undefined while the disk works. */
  fault: Error | undefined;
  /** A full disk takes names, and no bytes; one that is mounted read-only takes nothing. */
  state: 'works' | 'full' | 'read-only' = 'works';
  /** Writes so far. */
  writes = 0;
  /** True while a write is not finished: a crash may tear it. */
  isWriting = false;
  #lastAppend: { readonly name: string; readonly bytes: number } | undefined;

  constructor(files: ReadonlyMap<string, Buffer> = new Map()) {
    this.files = new Map(files);
  }

  /** The directory after a crash, with possibly only a part of the last write. */
  afterCrash(keepOfLast = 1): MemoryFolder {
    const left = new MemoryFolder(this.files);
    const { name, bytes } = this.#lastAppend ?? { name: '', bytes: 0 };
    const file = left.files.get(name);
    if (file) left.files.set(name, file.subarray(0, file.length - Math.ceil(bytes * (1 - keepOfLast))));
    return left;
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async read(name: string): Promise<Buffer | undefined> {
    return this.files.get(name);
  }

  async create(name: string) {
    this.#check();
    this.#checkNames();
    // The file keeps its content wherever it is renamed to.
    const file: OpenFile = { name, memory: Buffer.alloc(0) };
    this.#open.set(name, file);
    this.files.set(name, Buffer.alloc(0));
    return {
      append: async (parts: readonly Uint8Array[]) => {
        const bytes = Buffer.concat(parts);
        this.#check();
        if (this.state !== 'works') throw errorOf('ENOSPC');
        this.writes++;
        this.files.set(file.name, appended(file, this.files.get(file.name)?.length ?? 0, bytes));
        this.#lastAppend = { name: file.name, bytes: bytes.length };
        this.isWriting = true;
        await new Promise((resolve) => setImmediate(resolve));
        this.isWriting = false;
      },
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    const content = this.files.get(from);
    if (!content) throw errorOf('ENOENT');
    this.#checkNames();
    this.files.delete(from);
    this.files.set(to, content);
    const file = this.#open.get(from);
    if (file) file.name = to;
    this.#open.delete(from);
    if (file) this.#open.set(to, file);
    // A rename is whole or not there: what it moved is not torn.
    this.#lastAppend = undefined;
  }

  async remove(name: string): Promise<boolean> {
    if (this.files.has(name)) this.#checkNames();
    return this.files.delete(name);
  }

  readonly #open = new Map<string, OpenFile>();

  #check(): void {
    if (this.fault) throw this.fault;
  }

  #checkNames(): void {
    if (this.state === 'read-only') throw errorOf('EROFS');
  }
}

function errorOf(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The file's content with more bytes after the first `length`. Copies it seldom: stores append many thousand times. */
function appended(file: OpenFile, length: number, bytes: Buffer): Buffer {
  const newLength = length + bytes.length;
  if (newLength > file.memory.length) {
    const larger = Buffer.alloc(2 * newLength);
    file.memory.copy(larger, 0, 0, length);
    file.memory = larger;
  }
  bytes.copy(file.memory, length);
  return file.memory.subarray(0, newLength);
}
