import type { Folder } from './folder.ts';

/**
 * Empty files whose names say that numbers were used which no file has (names.ts). An empty file needs no room on a full
 * disk. Where the disk takes none, as when it is mounted read-only, a mark goes to the runtime directory: that survives
 * the process and not the machine, after whose boot every session begins a new epoch anyway.
 */
export class Marks {
  readonly #folders: readonly Folder[];

  /** @param runtime undefined outside of systemd */
  constructor(folder: Folder, runtime: Folder | undefined) {
    this.#folders = runtime ? [folder, runtime] : [folder];
  }

  /** False if no place takes it. Never rejects. */
  async put(name: string): Promise<boolean> {
    for (const folder of this.#folders) {
      try {
        await (await folder.create(name)).close();
        return true;
      } catch {
        // The next place may take it.
      }
    }
    return false;
  }

  /** Rejects with the error of the disk. */
  async names(): Promise<string[]> {
    return (await Promise.all(this.#folders.map((folder) => folder.list()))).flat();
  }

  /** Rejects with the error of the disk. */
  async remove(name: string): Promise<void> {
    await Promise.all(this.#folders.map((folder) => folder.remove(name)));
  }
}
