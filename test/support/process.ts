import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);

/** A JSON object that a process wrote as one line of its standard output. */
export type Line = Record<string, unknown>;

/** One of our programs, running as a process of its own and talking in JSON lines on standard output. */
export class Program {
  /** Every JSON line so far, in order. */
  readonly lines: Line[] = [];
  /** All that it wrote to standard error. */
  stderr = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #name: string;
  /** Whether it has ended and all that it said has been read. */
  #isOver = false;
  readonly #listeners = new Set<(line: Line | undefined) => void>();

  /** Starts `script` (a path from the project's root, or an absolute one) under this Node with only the given
   *  environment, off EC2. */
  constructor(script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    this.#name = script;
    // Whatever becomes of us, a test runner that is killed included, the process does not outlive us.
    const leash = new URL(`leash.ts?parent=${process.pid}`, import.meta.url);
    this.#child = spawn(process.execPath, [fileURLToPath(new URL(script, ROOT)), ...args], {
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_OPTIONS: `--import=${leash}`,
        AWS_EC2_METADATA_DISABLED: 'true',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const stdout = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    stdout.on('line', (text) => this.#take(text));
    this.exited = once(this.#child, 'close').then(([code]) => {
      this.#isOver = true;
      for (const listener of this.#listeners) listener(undefined);
      return code as number | null;
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} did not start`);
    return this.#child.pid;
  }

  /** The first line, past or to come, that `matches`; rejects when the process ends without having said it. */
  line(matches: (line: Line) => boolean): Promise<Line> {
    const said = this.lines.find(matches);
    if (said) return Promise.resolve(said);
    if (this.#isOver) return Promise.reject(this.#silence());
    return new Promise((resolve, reject) => {
      const listener = (line: Line | undefined) => {
        if (line && !matches(line)) return;
        this.#listeners.delete(listener);
        if (line) resolve(line);
        else reject(this.#silence());
      };
      this.#listeners.add(listener);
    });
  }

  /** The address the process says it listens on, once it does: `{"listening": "http://127.0.0.1:1234"}`. */
  async listening(): Promise<string> {
    const line = await this.line(({ listening }) => typeof listening === 'string');
    return line['listening'] as string;
  }

  /** Sends the signal and waits for the end; gives the exit code, null when a signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return this.exited;
  }

  #silence(): Error {
    return new Error(`${this.#name} ended (code ${this.#child.exitCode}) before saying it:\n${this.stderr}`);
  }

  #take(text: string): void {
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as Line;
    this.lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }
}
