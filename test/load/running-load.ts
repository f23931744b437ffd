import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ScriptProcess } from '../support/script-process.ts';
import type { Report } from './report.ts';

/** A load run, started as a person would start it, with a temporary directory of its own. */
export class RunningLoad extends ScriptProcess {
  readonly #directory: string;

  /** Starts it; it ends with the test at the latest. */
  constructor(t: ExecutionContext, args: readonly string[]) {
    const directory = mkdtempSync(join(tmpdir(), 'load-test-'));
    super('test/load/main.ts', args, { env: { TMPDIR: directory }, detached: true });
    this.#directory = directory;
    t.teardown(async () => {
      await this.stop();
      rmSync(directory, { recursive: true, force: true });
    });
  }

  /** The report that it printed with --json, once it has ended. */
  async report(): Promise<Report> {
    await this.exited;
    return JSON.parse(this.stdout) as Report;
  }

  /** Whether any process that it started still runs. */
  get hasProcesses(): boolean {
    try {
      process.kill(-this.pid, 0);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }

  /** What it left in the temporary directory. */
  get leftFiles(): string[] {
    return readdirSync(this.#directory);
  }
}
