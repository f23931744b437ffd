import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, CommandFailed, type Ended, removeTree } from './command.ts';

/** systemd-nspawn tells nobody that the system inside can be asked; it is tried so often. */
const LOOK_EVERY_MS = 200;
/** The end of what the console shows, for a message about a boot that failed. */
const LAST_WORDS = 4000;
/** `systemctl is-system-running` when the boot is over; degraded: a unit failed, which a test may want. */
const BOOTED = ['running', 'degraded'];

/** A Debian that runs under a systemd of its own. It shares this machine's network, so also its loopback interface. */
export class Container {
  readonly #nspawn: ChildProcess;
  readonly #machine: string;
  readonly #over: Promise<unknown>;
  #console = '';

  /** Begins to boot the system in `root`. */
  constructor(root: string) {
    this.#machine = basename(root);
    const nspawn = ['systemd-nspawn', '--register=no', '--keep-unit', `--machine=${this.#machine}`];
    // Even if we are killed, nobody is left behind: the kernel then tells nspawn to shut it down.
    this.#nspawn = spawn('setpriv', ['--pdeathsig', 'TERM', ...nspawn, '--directory', root, '--boot'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [this.#nspawn.stdout, this.#nspawn.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => {
        this.#console = (this.#console + text).slice(-LAST_WORDS);
      });
    }
    this.#over = once(this.#nspawn, 'close');
  }

  /** Resolves when the boot is over; throws when it never will be. */
  async booted(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#nspawn.exitCode !== null || this.#nspawn.signalCode !== null) {
        throw new Error(`The container did not boot. Its console:\n${this.#console}`);
      }
      if (this.#init() !== undefined) {
        const { stdout } = await this.attempt('systemctl', 'is-system-running', '--wait');
        if (BOOTED.includes(stdout.trim())) return;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Runs a program inside, as root, to its end; gives what it wrote to standard output. Throws CommandFailed. */
  async run(...command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(...command);
    if (code === 0) return stdout;
    throw new CommandFailed(`In the container ${command.join(' ')} ended with ${code}: ${stderr || stdout}`);
  }

  /** Runs a program inside, as root, to its end, whatever that is. */
  attempt(...command: readonly string[]): Promise<Ended> {
    return attempt('nsenter', this.#inside(command));
  }

  /** Starts a program inside whose output is read as it comes; it ends with the container. */
  start(...command: readonly string[]): ChildProcess {
    return spawn('nsenter', this.#inside(command), { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Ends everything in it at once: its file system is thrown away. */
  async stop(): Promise<void> {
    const init = this.#init();
    // With the first process of a process id namespace all others in it are killed.
    if (init !== undefined) process.kill(init, 'SIGKILL');
    else this.#nspawn.kill('SIGTERM');
    await this.#over;
    await removeTree(`/run/systemd/nspawn/propagate/${this.#machine}`);
  }

  #inside(command: readonly string[]): string[] {
    const init = this.#init();
    if (init === undefined) throw new Error(`The container does not run. Its console:\n${this.#console}`);
    return ['--target', String(init), '--all', '--', ...command];
  }

  /** The container's first process, as this machine numbers it; undefined before it is systemd, and after its end. */
  #init(): number | undefined {
    const { pid } = this.#nspawn;
    const children = `/proc/${pid}/task/${pid}/children`;
    if (pid === undefined || !existsSync(children)) return undefined;
    const [child = ''] = readFileSync(children, 'utf8').split(' ');
    const name = `/proc/${child}/comm`;
    const isInit = child !== '' && existsSync(name) && readFileSync(name, 'utf8').trim() === 'systemd';
    return isInit ? Number(child) : undefined;
  }
}
