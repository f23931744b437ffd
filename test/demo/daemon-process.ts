import type { Program } from '../support/process.ts';
import type { Children } from './children.ts';
import type { DemoFailed } from './failure.ts';

interface DaemonOptions {
  readonly children: Children;
  /** Its settings, except for the port. */
  readonly env: Readonly<Record<string, string>>;
  /** Called for each process, the restarted ones too. */
  readonly onStart: (program: Program) => void;
  readonly onDeath: (error: DemoFailed) => void;
}

/** integratord, which can crash and be started again, as systemd would. */
export class DaemonProcess {
  readonly #options: DaemonOptions;
  #program: Program;
  #url: URL;
  #isUp = true;

  /** Throws DemoFailed if it does not start. */
  static async start(options: DaemonOptions): Promise<DaemonProcess> {
    const { program, url } = await serve(options, '0');
    return new DaemonProcess(options, program, new URL(url));
  }

  private constructor(options: DaemonOptions, program: Program, url: URL) {
    this.#options = options;
    this.#program = program;
    this.#url = url;
  }

  get program(): Program {
    return this.#program;
  }

  /** host:port, for the trigger. */
  get host(): string {
    return this.#url.host;
  }

  /** False from a crash until it runs again. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Kills it with -9, and starts it again on the same port. Throws DemoFailed if it does not start. */
  async crashAndRestart(): Promise<void> {
    this.#isUp = false;
    await this.#options.children.crash(this.#program);
    const { program, url } = await serve(this.#options, this.#url.port);
    this.#program = program;
    this.#url = new URL(url);
    this.#isUp = true;
  }
}

async function serve({ children, env, onStart, onDeath }: DaemonOptions, port: string) {
  const settings = { ...env, PORT: port };
  const served = await children.serve('integratord', 'daemon/main.ts', [], settings, onDeath);
  onStart(served.program);
  return served;
}
