import { Program } from '../support/process.ts';
import { LoadFailed } from './failure.ts';
import type { Answer, Order, Orders } from './orders.ts';

/** A simulator in its own process, which executes orders and exits with this process. */
export class Simulator<Known extends Orders> {
  /** Rejects if it exits before it is stopped. */
  readonly failed: Promise<never>;
  readonly #program: Program;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #orders = 0;
  #isStopping = false;

  /** @param script in this directory */
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
    // Handled where an order waits for its response; there may be none.
    this.failed.catch(() => {});
  }

  /** Sends an order and resolves with its result. Throws LoadFailed if the simulator exits instead. */
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
