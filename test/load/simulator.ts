import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LoadFailed } from './failure.ts';
import type { Answer, Order, Orders } from './orders.ts';

/** A stand-in in a process of its own, which takes orders and ends with this process. */
export class StandIn<Known extends Orders> {
  /** Rejects when it ends before it was stopped. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #orders = 0;
  #isStopping = false;

  /** @param script beside this file */
  constructor(script: string, settings: unknown) {
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), [JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // What this process was started with is for this process.
      execArgv: [],
    });
    this.#exited = once(this.#child, 'exit');
    this.#child.on('message', ({ id, answer }: Answer) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    this.failed = new Promise((_, reject) => {
      this.#child.once('exit', (code, signal) => {
        if (!this.#isStopping) reject(new LoadFailed(`the stand-in ${script} ended: ${signal ?? `exit code ${code}`}`));
      });
    });
    // Whoever waits for an answer is told; that nobody does is no trouble.
    this.failed.catch(() => {});
  }

  /** Gives an order and resolves with what came of it. Throws LoadFailed when the stand-in ends instead. */
  order<Name extends keyof Known & string>(
    name: Name,
    ...[argument]: Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    const id = this.#orders++;
    const answered = new Promise<unknown>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, name, argument } satisfies Order);
    return Promise.race([answered, this.failed]) as Promise<Awaited<ReturnType<Known[Name]>>>;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
