import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
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

  async put(key: string, content: Uint8Array): Promise<void> {
    const path = join(this.#root, key);
    await mkdir(dirname(path), { recursive: true, mode: PRIVATE_DIRECTORY });
    // Renamed, so that no reader sees half a file.
    const unfinished = join(dirname(path), `${randomUUID()}${UNFINISHED}`);
    await writeFile(unfinished, content, { mode: PRIVATE_FILE });
    await rename(unfinished, path);
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

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
