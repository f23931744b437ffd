import { basename, dirname } from 'node:path';
import type { Disk } from '../../daemon/checkpoints/state-directory.ts';

/** A disk in memory that a test can inspect, copy, block and break. */
export class MemoryDisk {
  readonly files: Map<string, string>;
  /** Names of the files written, in order. */
  readonly written: string[] = [];
  /** While set, every write fails with it. */
  failure: Error | undefined;
  /** While set, every write waits for it. */
  gate: Promise<void> | undefined;
  /** Called at every moment when a crash could happen: before and after each change, and halfway through a write. */
  onStep: () => void = () => {};

  constructor(files: ReadonlyMap<string, string> = new Map()) {
    this.files = new Map(files);
  }

  /** For a StateDirectory. */
  get disk(): Disk {
    return this as unknown as Disk;
  }

  copy(): MemoryDisk {
    return new MemoryDisk(this.files);
  }

  /** File names, sorted. */
  get names(): string[] {
    return [...this.files.keys()].map((path) => basename(path)).toSorted();
  }

  async mkdir(): Promise<void> {}

  async readdir(path: string): Promise<string[]> {
    return [...this.files.keys()].filter((file) => dirname(file) === path).map((file) => basename(file));
  }

  async readFile(path: string): Promise<string> {
    const text = this.files.get(path);
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return text;
  }

  async writeFile(path: string, text: string): Promise<void> {
    await this.gate;
    if (this.failure) throw this.failure;
    this.written.push(basename(path, '.new'));
    this.onStep();
    this.files.set(path, text.slice(0, text.length / 2));
    this.onStep();
    this.files.set(path, text);
  }

  async rename(from: string, to: string): Promise<void> {
    this.onStep();
    this.files.set(to, this.files.get(from) ?? '');
    this.files.delete(from);
    this.onStep();
  }

  async rm(path: string): Promise<void> {
    if (this.failure) throw this.failure;
    this.onStep();
    this.files.delete(path);
    this.onStep();
  }
}
