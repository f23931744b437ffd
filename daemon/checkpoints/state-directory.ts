import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { CheckpointCipher } from './checkpoint-cipher.ts';
import { type Positions, readPositions, writePositions } from './positions-file.ts';

const SESSION = /^(?<sessionId>.+)\.checkpoint\.json$/;
const POSITIONS = /^positions-(?<name>.+)\.json$/;
/** A file whose write a crash interrupted. */
const UNFINISHED = /^(?:.+\.checkpoint|positions-.+)\.json\.new$/;
const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/** The part of node:fs/promises that is used; a test brings its own. */
export type Disk = Pick<typeof fs, 'mkdir' | 'readdir' | 'readFile' | 'rename' | 'rm' | 'writeFile'>;

/** Our files in STATE_DIR; others are left alone. */
export interface StateFiles {
  readonly sessionIds: readonly string[];
  /** Names of the threads with a positions file. */
  readonly threads: readonly string[];
  /** File names. */
  readonly unfinished: readonly string[];
}

/**
 * The files in STATE_DIR: `ID.checkpoint.json` for each session, `positions-THREAD.json` for the resume points of each
 * thread's sessions. Files are replaced atomically: a crash leaves the old one or the new one.
 */
export class StateDirectory {
  readonly path: string;
  readonly #cipher: CheckpointCipher;
  readonly #disk: Disk;

  constructor(path: string, cipher: CheckpointCipher, disk: Disk = fs) {
    this.path = path;
    this.#cipher = cipher;
    this.#disk = disk;
  }

  /** Changes when session files should be rewritten to stay readable. */
  get keyGeneration(): number {
    return this.#cipher.generation;
  }

  /** Creates the directory if it is missing. */
  async list(): Promise<StateFiles> {
    await this.#disk.mkdir(this.path, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    const names = await this.#disk.readdir(this.path);
    return {
      sessionIds: names.flatMap((name) => SESSION.exec(name)?.groups?.['sessionId'] ?? []),
      threads: names.flatMap((name) => POSITIONS.exec(name)?.groups?.['name'] ?? []),
      unfinished: names.filter((name) => UNFINISHED.test(name)),
    };
  }

  /** Throws if the file is missing, broken, or encrypted with another secret. */
  async readSession(sessionId: string): Promise<Checkpoint> {
    return readCheckpoint(await this.#disk.readFile(this.#sessionPath(sessionId), 'utf8'), this.#cipher);
  }

  writeSession(checkpoint: Checkpoint): Promise<void> {
    return this.#replace(this.#sessionPath(checkpoint.sessionId), writeCheckpoint(checkpoint, this.#cipher));
  }

  removeSession(sessionId: string): Promise<void> {
    return this.#disk.rm(this.#sessionPath(sessionId), { force: true });
  }

  /** Throws if the file is missing or broken; reports single sessions that are broken. */
  async readPositions(thread: string, onBroken: (sessionId: string, error: Error) => void): Promise<Positions> {
    return readPositions(await this.#disk.readFile(this.#positionsPath(thread), 'utf8'), onBroken);
  }

  writePositions(thread: string, positions: Positions): Promise<void> {
    return this.#replace(this.#positionsPath(thread), writePositions(positions));
  }

  removePositions(thread: string): Promise<void> {
    return this.#disk.rm(this.#positionsPath(thread), { force: true });
  }

  removeUnfinished(fileName: string): Promise<void> {
    return this.#disk.rm(join(this.path, fileName), { force: true });
  }

  async #replace(path: string, text: string): Promise<void> {
    await this.#disk.writeFile(`${path}.new`, text, { mode: OWNER_ONLY });
    await this.#disk.rename(`${path}.new`, path);
  }

  #sessionPath(sessionId: string): string {
    return join(this.path, `${sessionId}.checkpoint.json`);
  }

  #positionsPath(thread: string): string {
    return join(this.path, `positions-${thread}.json`);
  }
}
