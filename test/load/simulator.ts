import { Program } from '../support/process.ts';
import { LoadFailed } from './failure.ts';
import type { Answer, Order, Orders } from './orders.ts';

/** A simulator in a process of its own, which takes orders and ends with this process. */
export class Simulator<Known extends Orders> {
  /** Rejects when it ends before it was stopped. */
  readonly failed: Promise<never>;
  readonly #program: Program;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #orders = 0;
  #isStopping = false;

  /** @param script beside this file */
  constructor(script: string, settings: unknown) {
    this.#program = new Program(`test/load/${script}`, [JSON.stringify(settings)], {}, { ipc: true });
    this.#program.child.on('message', ({ id, answer }: Answer) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    this.failed = this.#program.exited.then((code) => {
      if (this.#isStopping) return new Promise<never>(() => {});
      const how = code === null ? 'by a signal' : `exit code ${code}`;
      throw new LoadFailed(`the simulator ${script} ended (${how}):\n${this.#program.stderr}`);
    });
    // Whoever waits for an answer is told; that nobody does is no trouble.
    this.failed.catch(() => {});
  }

  /** Gives an order and resolves with what came of it. Throws LoadFailed when the simulator exits instead. */
  order<Name extends keyof Known & string>(
    name: Name,
    ...[argument]: Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    const id = this.#orders++;
    const answered = new Promise<unknown>((resolve) => this.#waiting.set(id, resolve));
    this.#program.child.send({ id, name, argument } satisfies Order);
    return Promise.race([answered, this.failed]) as Promise<Awaited<ReturnType<Known[Name]>>>;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#program.stop('SIGKILL');
  }
}
