import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BARE_ENVIRONMENT } from './bare-environment.ts';

const ROOT = new URL('../../', import.meta.url);

/** A Node option: the process ends when this one is gone, even if a test runner kills this one. */
export const LEASH = `--import=${new URL(`leash.ts?parent=${process.pid}`, import.meta.url)}`;

export interface ScriptOptions {
  /** All of its environment, apart from PATH and what keeps it with this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** In a process group of its own, as a shell starts a command: Ctrl-C for this process does not reach it. */
  readonly detached?: boolean;
  /** The user to run it as. */
  readonly uid?: number;
  /** Open a channel for messages to and from it. */
  readonly ipc?: boolean;
}

/** One of our scripts as a process of its own, under this Node, with only the given environment. */
export class ScriptProcess {
  /** What it has written so far. */
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  /** Resolves with the exit code, null after a signal, once all its output is read. */
  readonly exited: Promise<number | null>;
  readonly #script: string;
  #hasExited = false;
  #news = Promise.withResolvers<void>();

  /** Starts `script`: a path from the project's root, or an absolute one. */
  constructor(script: string, args: readonly string[] = [], options: ScriptOptions = {}) {
    const { env = {}, detached = false, uid, ipc = false } = options;
    this.#script = script;
    this.child = spawn(process.execPath, [fileURLToPath(new URL(script, ROOT)), ...args], {
      env: { ...BARE_ENVIRONMENT, ...env, NODE_OPTIONS: `${LEASH} ${env['NODE_OPTIONS'] ?? ''}` },
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
      detached,
      ...(uid === undefined ? {} : { uid }),
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      this.child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        this.take(stream, text);
        this.#tell();
      });
    }
    this.exited = once(this.child, 'close').then(([code]) => {
      this.#hasExited = true;
      this.#tell();
      this.finish();
      return code as number | null;
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.#script} did not start`);
    return this.child.pid;
  }

  /** Resolves once what it has written matches; rejects when it exits before. */
  async wrote(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match) return match;
      if (this.#hasExited) throw this.exitedBefore(String(pattern));
      await this.#news.promise;
    }
  }

  /** Sends the signal and waits for the exit; gives the exit code, null when the signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }

  /** What Ctrl-C in its terminal does: a signal to all processes of its group. Only if it is detached. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  protected get hasExited(): boolean {
    return this.#hasExited;
  }

  protected exitedBefore(what: string): Error {
    const how = this.child.signalCode ?? `exit code ${this.child.exitCode}`;
    return new Error(`${this.#script} exited (${how}) before ${what}:\n${this.stdout}${this.stderr}`);
  }

  /** Takes a piece of its output. */
  protected take(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
  }

  /** All its output is taken. What it throws rejects `exited`. */
  protected finish(): void {}

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
