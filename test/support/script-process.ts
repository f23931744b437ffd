import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BARE_ENVIRONMENT } from './bare-environment.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Node option that makes a process exit when LEASH_PARENT is gone, even after SIGKILL. */
const LEASH = `--import=${new URL('leash.ts', import.meta.url)}`;
const LEASH_PARENT = String(process.pid);

type ScriptEnvironment = Readonly<Record<string, string>>;

interface ScriptOptions {
  /** Its whole environment, apart from BARE_ENVIRONMENT and the leash. An empty TEST_BUNDLES starts the sources. */
  readonly env?: ScriptEnvironment;
  /** Start it in its own process group, like a shell command: Ctrl-C for this process does not reach it. */
  readonly detached?: boolean;
  /** The user to run it as. */
  readonly uid?: number;
  /** Open a message channel. */
  readonly ipc?: boolean;
  /** Options of Node and V8. */
  readonly nodeArgs?: readonly string[];
}

/** One of our scripts in its own process, under this Node, with only the given environment. */
export class ScriptProcess {
  /** Its output so far. */
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  /** Resolves with the exit code (null after a signal) once all output has been read. */
  readonly exited: Promise<number | null>;
  readonly #script: string;
  #hasExited = false;
  #news = Promise.withResolvers<void>();

  /** Starts `script`: a path relative to the project's root, or absolute. */
  constructor(script: string, args: readonly string[] = [], options: ScriptOptions = {}) {
    const { env = {}, detached = false, uid, ipc = false, nodeArgs = [] } = options;
    this.#script = script;
    this.child = spawn(process.execPath, [...nodeArgs, fileOf(resolve(ROOT, script), env), ...args], {
      env: { ...BARE_ENVIRONMENT, ...env, LEASH_PARENT, NODE_OPTIONS: `${LEASH} ${env['NODE_OPTIONS'] ?? ''}` },
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

  /** Resolves once its output matches; rejects if it exits first. */
  async wrote(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match) return match;
      if (this.#hasExited) throw this.exitedBefore(String(pattern));
      await this.#news.promise;
    }
  }

  /** Sends the signal and waits for the exit. Resolves with the exit code, null if the signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }

  /** Sends SIGINT to its process group, like Ctrl-C in a terminal. Requires `detached`. */
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

  /** Handles a piece of its output. */
  protected take(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
  }

  /** Called after the last output. An exception rejects `exited`. */
  protected finish(): void {}

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/** The file to run for a script (absolute): its bundle, if `npm test` made one, else the script itself. */
export function fileOf(
  script: string,
  { TEST_BUNDLES: directory = process.env['TEST_BUNDLES'] }: ScriptEnvironment = {},
): string {
  if (!directory) return script;
  const bundle = join(directory, relative(ROOT, script).replace(/\.ts$/, '.js'));
  return existsSync(bundle) ? bundle : script;
}
