import { LeakWatch } from './leak-watch.ts';
import { ScriptProcess } from './script-process.ts';

/** A JSON object that a process wrote as one line of its standard output. */
export type Line = Record<string, unknown>;

/**
 * One of our programs in its own process, which writes JSON lines to standard output. `exited` rejects if the daemon
 * wrote a secret into its log.
 */
export class Program extends ScriptProcess {
  /** Every JSON line so far, in order. */
  readonly lines: Line[] = [];
  /** Every daemon in every test is checked: the whole suite is a test of the log's redaction. */
  readonly #watch: LeakWatch | undefined;
  readonly #script: string;
  /** The start of an incomplete line. */
  #rest = '';
  readonly #listeners = new Set<(line: Line | undefined) => void>();

  /** Starts `script` with only the given environment, off EC2. */
  constructor(
    script: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    options: { detached?: boolean; ipc?: boolean; nodeArgs?: readonly string[] } = {},
  ) {
    super(script, args, { env: { AWS_EC2_METADATA_DISABLED: 'true', ...env }, ...options });
    this.#script = script;
    this.#watch = script.startsWith('daemon/') ? new LeakWatch(env) : undefined;
  }

  /** The first line, past or future, that `matches`; rejects if the process exits first. */
  line(matches: (line: Line) => boolean): Promise<Line> {
    const known = this.lines.find(matches);
    if (known) return Promise.resolve(known);
    if (this.hasExited) return Promise.reject(this.exitedBefore('the line'));
    return new Promise((resolve, reject) => {
      const listener = (line: Line | undefined) => {
        if (line && !matches(line)) return;
        this.#listeners.delete(listener);
        if (line) resolve(line);
        else reject(this.exitedBefore('the line'));
      };
      this.#listeners.add(listener);
    });
  }

  /** The address it listens on, once it does: `{"listening": "http://127.0.0.1:1234"}`. */
  async listening(): Promise<string> {
    const line = await this.line(({ listening }) => typeof listening === 'string');
    return line['listening'] as string;
  }

  protected override take(stream: 'stdout' | 'stderr', text: string): void {
    if (stream === 'stderr') {
      super.take(stream, text);
      return;
    }
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#takeLine(line);
  }

  protected override finish(): void {
    if (this.#rest !== '') this.#takeLine(this.#rest);
    for (const listener of this.#listeners) listener(undefined);
    this.#watch?.read(this.stderr);
    const [leak] = this.#watch?.leaks ?? [];
    if (leak !== undefined) throw new Error(`${this.#script} wrote a secret into its log: ${leak}`);
  }

  #takeLine(text: string): void {
    this.#watch?.read(text);
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as Line;
    this.lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }
}
