import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** The demo, run as a person would run it, with a temporary directory of its own. */
export class RunningDemo {
  readonly exited: Promise<number | null>;
  /** Where the demo keeps its temporary files. */
  readonly directory = mkdtempSync(join(tmpdir(), 'demo-test-'));
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  /** Starts the demo; it ends with the test at the latest. */
  constructor(t: ExecutionContext, args: readonly string[], env: Record<string, string> = {}) {
    // Should the tests be killed, the demo must not stay behind.
    const leash = new URL(`../support/leash.ts?parent=${process.pid}`, import.meta.url);
    this.#child = spawn(process.execPath, [MAIN, '--port', '0', ...args], {
      env: { ...BARE_ENVIRONMENT, TMPDIR: this.directory, NODE_OPTIONS: `--import=${leash}`, ...env },
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
      this.signal('SIGTERM');
      await this.exited;
      rmSync(this.directory, { recursive: true });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the demo did not start');
    return this.#child.pid;
  }

  /** What has been or will be said that matches; rejects when the demo ends without having said it. */
  async says(wanted: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = wanted.exec(this.stdout);
      if (found) return found;
      const more = once(this.#child.stdout as NodeJS.ReadableStream, 'data');
      const end = this.exited.then((code) => {
        throw new Error(`the demo ended (${code}) without saying ${wanted}:\n${this.stdout}\n${this.stderr}`);
      });
      await Promise.race([more, end]);
    }
  }

  async pageUrl(): Promise<string> {
    return (await this.says(/^Page: (\S+)$/m))[1] as string;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** What a terminal does at Ctrl-C: every process in the foreground gets the signal. */
  pressCtrlC(): void {
    process.kill(-this.pid, 'SIGINT');
  }
}
