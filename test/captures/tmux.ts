import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CTL } from '../ctl/ctl-process.ts';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';

const run = promisify(execFile);
/** Rows above the screen that tmux keeps: more than any command prints. */
const SCROLLBACK = 2000;
/** tmux tells nobody that a screen has changed. */
const POLL_MS = 100;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal shows after a command. */
export interface Capture {
  /** Line by line as it is seen, from the first one of the command's output. */
  readonly seen: readonly string[];
  /** Lines as the command wrote them: those that the terminal wrapped are joined. */
  readonly written: readonly string[];
}

/** A tmux server of its own, whose terminals know nothing of the user's settings. */
export class Tmux {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tmux-'));
  readonly #socket = join(this.#directory, 'socket');
  readonly #env: Readonly<Record<string, string>>;
  #commands = 0;

  /** @param env of the commands; `integratorctl` is a command there */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = { ...BARE_ENVIRONMENT, LANG: 'C.UTF-8', TERM: 'xterm-256color', ...env };
  }

  /** Runs an integratorctl command on a terminal of that size, and returns what is there when it has ended. */
  async run(args: string, size: Size): Promise<Capture> {
    const { name, ended } = await this.#start(args, size);
    await ended;
    return this.#captured(name);
  }

  /** As `run`, for a command that does not end by itself: as soon as the screen matches. */
  async show(args: string, size: Size, pattern: RegExp): Promise<Capture> {
    const { name } = await this.#start(args, size);
    for (;;) {
      const capture = await this.#captured(name);
      if (pattern.test(capture.seen.join('\n'))) return capture;
      await sleep(POLL_MS);
    }
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => '');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #start(args: string, { columns, rows }: Size): Promise<{ name: string; ended: Promise<string> }> {
    const name = `command-${++this.#commands}`;
    const script = `"${process.execPath}" "${CTL}" ${args}; tmux -S "${this.#socket}" wait-for -S ${name}; exec cat`;
    const size = ['-x', String(columns), '-y', String(rows)];
    await this.#tmux('new-session', '-d', '-s', name, ...size, `exec 2>&1; ${script}`);
    return { name, ended: this.#tmux('wait-for', name) };
  }

  async #captured(name: string): Promise<Capture> {
    const capture = async (...options: string[]) => {
      const text = await this.#tmux('capture-pane', '-p', '-t', name, '-S', String(-SCROLLBACK), ...options);
      return text.trimEnd().split('\n');
    };
    return { seen: await capture(), written: await capture('-J') };
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const options = ['-S', this.#socket, '-f', '/dev/null'];
    return (await run('tmux', [...options, ...args], { env: this.#env, cwd: ROOT })).stdout;
  }
}
