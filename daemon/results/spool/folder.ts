import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { unfinishedName } from './names.ts';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/** A file that grows. */
export interface GrowingFile {
  append(parts: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

/** The files of one directory; a test brings its own. Methods reject with the error of the disk. */
export interface Folder {
  readonly path: string;
  /** Empty if there is no such directory. */
  list(): Promise<string[]>;
  /** Undefined if there is no such file. */
  read(name: string): Promise<Buffer | undefined>;
  /** Opens an empty file, in a directory that is created if it is missing; replaces an existing one. */
  create(name: string): Promise<GrowingFile>;
  rename(from: string, to: string): Promise<void>;
  /** Resolves with false if there was no such file. */
  remove(name: string): Promise<boolean>;
}

export function folderAt(path: string): Folder {
  const at = (name: string) => join(path, name);
  return {
    path,
    list: () => fs.readdir(path).catch((error) => unlessMissing(error, [])),
    read: (name) => fs.readFile(at(name)).catch((error) => unlessMissing(error, undefined)),
    async create(name) {
      await fs.mkdir(path, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
      const handle = await fs.open(at(name), 'w', OWNER_ONLY);
      return {
        append: (parts) => writeAll(handle, parts),
        close: () => handle.close(),
      };
    },
    rename: (from, to) => fs.rename(at(from), at(to)),
    remove: (name) =>
      fs.unlink(at(name)).then(
        () => true,
        (error) => unlessMissing(error, false),
      ),
  };
}

function unlessMissing<T>(error: NodeJS.ErrnoException, instead: T): T {
  if (error.code === 'ENOENT') return instead;
  throw error;
}

async function writeAll(handle: fs.FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  const { bytesWritten } = await handle.writev(parts);
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  // A disk that is nearly full may take a part; the next write says why.
  if (bytesWritten < bytes) await handle.appendFile(Buffer.concat(parts).subarray(bytesWritten));
}

/** Writes a whole file at once: a crash leaves the old one or the new one. */
export async function replaceFile(folder: Folder, name: string, bytes: Uint8Array): Promise<void> {
  const unfinished = unfinishedName(name);
  try {
    const file = await folder.create(unfinished);
    try {
      await file.append([bytes]);
    } finally {
      await file.close();
    }
    await folder.rename(unfinished, name);
  } catch (error) {
    // A full disk has no room for it.
    await folder.remove(unfinished).catch(() => {});
    throw error;
  }
}
