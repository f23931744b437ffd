import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Store } from './store.ts';

/** Readable by this user only: transcripts are personal data. */
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const UNFINISHED = '.part';

/** Keeps objects as files in a directory. */
export class DirectoryStore implements Store {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** On disk when it resolves: what is acknowledged is not sent again. */
  async put(key: string, content: Uint8Array): Promise<void> {
    const path = join(this.#root, key);
    const directory = dirname(path);
    await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
    // Renamed, so that no reader sees half a file.
    const unfinished = join(directory, `${randomUUID()}${UNFINISHED}`);
    await using file = await open(unfinished, 'wx', PRIVATE_FILE);
    await file.writeFile(content);
    // Before its name: a file that is renamed first may be empty after a power loss.
    await file.sync();
    await rename(unfinished, path);
    // The file's name, and those of directories that are new.
    await sync(directory);
    for (let part = dirname(key); part !== '.'; part = dirname(part)) await sync(join(this.#root, dirname(part)));
  }

  /** `prefix` ends with a slash. */
  async list(prefix: string): Promise<string[]> {
    const names = await readdir(join(this.#root, prefix)).catch(absent);
    return (names ?? []).filter((name) => !name.endsWith(UNFINISHED)).map((name) => prefix + name);
  }

  get(key: string): Promise<Buffer | undefined> {
    return readFile(join(this.#root, key)).catch(absent);
  }
}

async function sync(directory: string): Promise<void> {
  await using opened = await open(directory);
  await opened.sync();
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
