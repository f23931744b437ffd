import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';
import type { Report } from './report.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** A load run, started as a person would start it, with a temporary directory of its own. */
export class RunningLoad {
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';
  readonly #directory = mkdtempSync(join(tmpdir(), 'load-test-'));
  readonly #child: ChildProcess;

  /** Starts it; it ends with the test at the latest. */
  constructor(t: ExecutionContext, args: readonly string[]) {
    // Should the tests be killed, it must not stay behind.
    const leash = new URL(`../support/leash.ts?parent=${process.pid}`, import.meta.url);
    this.#child = spawn(process.execPath, [`--import=${leash}`, MAIN, ...args], {
      env: { ...BARE_ENVIRONMENT, TMPDIR: this.#directory },
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a group of its own, as a shell would start it, so that Ctrl-C can be had.
      detached: true,
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = once(this.#child, 'close').then(([code]) => code as number | null);
    t.teardown(async () => {
      this.#child.kill('SIGTERM');
      await this.exited;
      rmSync(this.#directory, { recursive: true, force: true });
    });
  }

  /** The report that it printed with --json, once it has ended. */
  async report(): Promise<Report> {
    await this.exited;
    return JSON.parse(this.stdout) as Report;
  }

  /** Resolves once standard error matches; rejects when it ends before. */
  async says(pattern: RegExp): Promise<void> {
    const said = Promise.withResolvers<void>();
    const look = () => pattern.test(this.stderr) && said.resolve();
    this.#child.stderr?.on('data', look);
    look();
    const ended = this.exited.then((code) => {
      throw new Error(`it ended (${code}) before it said ${pattern}:\n${this.stderr}`);
    });
    await Promise.race([said.promise, ended]);
  }

  /** What Ctrl-C does: a signal to all processes of the group. */
  interrupt(): void {
    process.kill(-(this.#child.pid as number), 'SIGINT');
  }

  /** Whether any process that it started still runs. */
  get hasProcesses(): boolean {
    try {
      process.kill(-(this.#child.pid as number), 0);
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
