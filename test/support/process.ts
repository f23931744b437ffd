import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BARE_ENVIRONMENT } from './bare-environment.ts';
import { LeakWatch } from './leak-watch.ts';

const ROOT = new URL('../../', import.meta.url);

/** A JSON object that a process wrote as one line of its standard output. */
export type Line = Record<string, unknown>;

/** Whatever becomes of us, a test runner that is killed included, a process with this Node option does not outlive us. */
export const LEASH = `--import=${new URL(`leash.ts?parent=${process.pid}`, import.meta.url)}`;

/** One of our programs, running as a process of its own and talking in JSON lines on standard output. */
export class Program {
  /** Every JSON line so far, in order. */
  readonly lines: Line[] = [];
  /** All that it wrote to standard error. */
  stderr = '';
  /** Resolves with the exit code; rejects when it is the daemon and wrote a secret into its log. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #name: string;
  /** Every daemon of every test is watched: the whole suite is one test of what its log may hold. */
  readonly #watch: LeakWatch | undefined;
  /** Whether it has ended and all that it said has been read. */
  #isOver = false;
  readonly #listeners = new Set<(line: Line | undefined) => void>();

  /** Starts `script` (a path from the project's root, or an absolute one) under this Node with only the given
   *  environment, off EC2.
   *  @param detached in a process group of its own, which Ctrl-C in a terminal does not reach */
  constructor(
    script: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
    { detached = false }: { detached?: boolean } = {},
  ) {
    this.#name = script;
    this.#watch = script.startsWith('daemon/') ? new LeakWatch(env) : undefined;
    this.#child = spawn(process.execPath, [fileURLToPath(new URL(script, ROOT)), ...args], {
      env: {
        ...BARE_ENVIRONMENT,
        AWS_EC2_METADATA_DISABLED: 'true',
        ...env,
        NODE_OPTIONS: `${LEASH} ${env['NODE_OPTIONS'] ?? ''}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached,
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const stdout = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    stdout.on('line', (text) => this.#take(text));
    this.exited = once(this.#child, 'close').then(([code]) => {
      this.#isOver = true;
      for (const listener of this.#listeners) listener(undefined);
      this.#watch?.read(this.stderr);
      this.#failOnLeak();
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

  #failOnLeak(): void {
    const [leak] = this.#watch?.leaks ?? [];
    if (leak !== undefined) throw new Error(`${this.#name} wrote a secret into its log: ${leak}`);
  }

  #take(text: string): void {
    this.#watch?.read(text);
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as Line;
    this.lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }
}
