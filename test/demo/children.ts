import { Program } from '../support/process.ts';
import { DemoFailed } from './failure.ts';

/** The daemon waits up to 10 s for Deepgram's last results before it exits. */
const STOP_TIMEOUT_MS = 12_000;
/** The end of a log shows why the process exited. */
const LAST_WORDS = 2000;

interface Child {
  readonly name: string;
  readonly program: Program;
}

/** The demo's processes. None outlives it. */
export class Children {
  readonly #running = new Set<Child>();
  readonly #killed = new Set<Program>();
  #isStopping = false;

  /** Starts a process, called `name` in messages, with only the given environment. Throws while the demo is ending. */
  start(name: string, script: string, args: readonly string[], env: Record<string, string>): Program {
    if (this.#isStopping) throw new DemoFailed(`${name} was not started because the demo is ending.`);
    // Ctrl-C would end Deepgram's simulator while integratord still waits for its last results.
    const program = new Program(script, args, env, { detached: true });
    const child = { name, program };
    this.#running.add(child);
    void program.exited.then(() => this.#running.delete(child));
    return program;
  }

  /** Starts a process that must run as long as the demo, and resolves with its address. `onDeath` is called if it exits
   *  early. Throws DemoFailed if it does not start. */
  async serve(
    name: string,
    script: string,
    args: readonly string[],
    env: Record<string, string>,
    onDeath: (error: DemoFailed) => void,
  ): Promise<{ program: Program; url: string }> {
    const program = this.start(name, script, args, env);
    try {
      const url = await program.listening();
      void program.exited.then((code) => {
        if (!this.#isStopping && !this.#killed.has(program))
          onDeath(new DemoFailed(`${name} ended (${told(code)}).${lastWords(program)}`));
      });
      return { program, url };
    } catch (cause) {
      const code = await program.exited;
      throw new DemoFailed(`${name} did not start (${told(code)}).${lastWords(program)}`, { cause });
    }
  }

  /** Kills one process, as a crash would; resolves once it is gone. `onDeath` is not called. */
  async crash(program: Program): Promise<void> {
    this.#killed.add(program);
    await program.stop('SIGKILL');
  }

  /** Ends all, the last one first: a process ends before those that it uses. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const { program } of [...this.#running].reverse()) {
      const timeout = setTimeout(() => program.stop('SIGKILL'), STOP_TIMEOUT_MS);
      // On SIGINT integratord ends its sessions now; on SIGTERM it would wait for the calls to end.
      await program.stop('SIGINT');
      clearTimeout(timeout);
    }
  }

  /** Kills all processes. */
  kill(): void {
    this.#isStopping = true;
    for (const { program } of this.#running) void program.stop('SIGKILL');
  }
}

/** The end of a process's standard error, for a message. */
export function lastWords({ stderr }: Program): string {
  const words = stderr.trim().slice(-LAST_WORDS);
  return words === '' ? ' It gave no reason.' : ` It said:\n${words}`;
}

function told(code: number | null): string {
  return code === null ? 'killed by a signal' : `exit code ${code}`;
}
