import { basename, dirname } from 'node:path';
import type { Disk } from '../../daemon/checkpoints/state-directory.ts';

/** A disk that a test can look into, copy, hold up, and let fail. */
export class MemoryDisk {
  readonly files: Map<string, string>;
  /** The names of the files that were written, in order. */
  readonly written: string[] = [];
  /** What every write fails with, while it is set. */
  failure: Error | undefined;
  /** What every write waits for, while it is set. */
  gate: Promise<void> | undefined;
  /** Called before and after every change, and when a file is half written: where a crash can come. */
  onStep: () => void = () => {};

  constructor(files: ReadonlyMap<string, string> = new Map()) {
    this.files = new Map(files);
  }

  /** As a StateDirectory takes it. */
  get disk(): Disk {
    return this as unknown as Disk;
  }

  copy(): MemoryDisk {
    return new MemoryDisk(this.files);
  }

  /** File names, in order. */
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
