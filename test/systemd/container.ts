import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, CommandFailed, type Ended, removeTree } from './command.ts';

/** systemd-nspawn does not report when the system inside is ready, so it is polled. */
const LOOK_EVERY_MS = 200;
/** Length of the console's end that is shown after a failed boot. */
const LAST_WORDS = 4000;
/** Results of `systemctl is-system-running` after the boot; degraded: a unit failed, which may be intended. */
const BOOTED = ['running', 'degraded'];

/** A Debian under its own systemd. It shares this machine's network, including the loopback interface. */
export class Container {
  readonly #nspawn: ChildProcess;
  readonly #machine: string;
  readonly #over: Promise<unknown>;
  #console = '';

  /** Starts booting the system in `root`. */
  constructor(root: string) {
    this.#machine = basename(root);
    const nspawn = ['systemd-nspawn', '--register=no', '--keep-unit', `--machine=${this.#machine}`];
    // If we are killed, the kernel sends nspawn a SIGTERM.
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

  /** Resolves after the boot; throws if it fails. */
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

  /** Runs a program inside, as root; returns its standard output. Throws CommandFailed. */
  async run(...command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(...command);
    if (code === 0) return stdout;
    throw new CommandFailed(`In the container ${command.join(' ')} ended with ${code}: ${stderr || stdout}`);
  }

  /** Runs a program inside, as root; resolves whatever its exit code. */
  attempt(...command: readonly string[]): Promise<Ended> {
    return attempt('nsenter', this.#inside(command));
  }

  /** Starts a program inside, which ends with the container at the latest. */
  start(...command: readonly string[]): ChildProcess {
    return spawn('nsenter', this.#inside(command), { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Kills everything in it. */
  async stop(): Promise<void> {
    const init = this.#init();
    // When the first process of a PID namespace dies, the kernel kills all others.
    if (init !== undefined) process.kill(init, 'SIGKILL');
    else this.#nspawn.kill('SIGTERM');
    await this.#over;
    await removeTree(`/run/systemd/nspawn/propagate/${this.#machine}`);
  }

  #inside(command: readonly string[]): string[] {
    const init = this.#init();
    if (init === undefined) throw new Error(`The container is not running. Its console:\n${this.#console}`);
    return ['--target', String(init), '--all', '--', ...command];
  }

  /** The container's first process, as a PID of this machine; undefined before it is systemd, and after its exit. */
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
