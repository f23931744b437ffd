import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';

export const CTL = fileURLToPath(new URL('../../daemon/ctl/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CtlOptions {
  readonly env?: Record<string, string>;
  /** Default: the sources' main.ts; a test of the bundle passes that. */
  readonly script?: string;
  /** The user to run it as. */
  readonly uid?: number;
}

/** integratorctl as a process without a terminal. */
export class CtlProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly child: ChildProcess;
  /** True once it has ended and its output has been read. */
  #isOver = false;
  readonly #listeners = new Set<() => void>();

  constructor(args: readonly string[], { env = {}, script = CTL, uid }: CtlOptions = {}) {
    // Kills the process if the test dies.
    const leash = new URL(`../support/leash.ts?parent=${process.pid}`, import.meta.url);
    const options: SpawnOptions = {
      env: { ...BARE_ENVIRONMENT, NODE_OPTIONS: `--import=${leash}`, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid }),
    };
    this.child = spawn(process.execPath, [script, ...args], options);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take('stdout', text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#take('stderr', text));
    this.ended = once(this.child, 'close').then(([code]) => {
      this.#isOver = true;
      this.#notifyListeners();
      return { code: code as number | null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Resolves once the output matches; rejects if the process ends before. */
  async says(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<void> {
    while (!pattern.test(this[stream])) {
      if (this.#isOver) throw new Error(`it ended without writing ${pattern}: ${this.stderr}`);
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  /** Closes its output, as `head` does. */
  stopReading(): void {
    this.child.stdout?.destroy();
  }

  #take(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.#notifyListeners();
  }

  #notifyListeners(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

/** Runs integratorctl to its end. */
export async function ctl(args: readonly string[], options: CtlOptions = {}): Promise<Ended> {
  return new CtlProcess(args, options).ended;
}
