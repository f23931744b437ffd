import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ScriptProcess } from '../support/script-process.ts';
import type { Report } from './report.ts';

/** A load run, started as a user would start it, with its own temporary directory. */
export class RunningLoad extends ScriptProcess {
  readonly #directory: string;

  /** Starts the run, which ends with the test at the latest. */
  constructor(t: ExecutionContext, args: readonly string[]) {
    const directory = mkdtempSync(join(tmpdir(), 'load-test-'));
    super('test/load/main.ts', args, { env: { TMPDIR: directory }, detached: true });
    this.#directory = directory;
    t.teardown(async () => {
      await this.stop();
      rmSync(directory, { recursive: true, force: true });
    });
  }

  /** Waits for the exit; returns the report printed with --json. */
  async report(): Promise<Report> {
    await this.exited;
    return JSON.parse(this.stdout) as Report;
  }

  /** Whether any of its processes still runs. */
  get hasProcesses(): boolean {
    try {
      process.kill(-this.pid, 0);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }

  /** Files left in the temporary directory. */
  get leftFiles(): string[] {
    return readdirSync(this.#directory);
  }
}
