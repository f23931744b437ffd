import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runCtl } from '../../daemon/ctl/run.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';
import { ScriptProcess } from '../support/script-process.ts';

export const CTL = fileURLToPath(new URL('../../daemon/ctl/main.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CtlOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the sources' main.ts; a test of the bundle passes that. */
  readonly script?: string;
  /** The user to run it as. */
  readonly uid?: number;
}

/** integratorctl as a process without a terminal. */
export class CtlProcess extends ScriptProcess {
  readonly ended: Promise<Ended>;

  constructor(args: readonly string[], { script = CTL, ...options }: CtlOptions = {}) {
    super(script, args, options);
    this.ended = this.exited.then((code) => ({ code, stdout: this.stdout, stderr: this.stderr }));
  }

  /** Resolves once the output matches; rejects if the process ends before. */
  async says(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<void> {
    await this.wrote(stream, pattern);
  }

  /** Stops reading the output, as `head` does after enough lines. */
  stopReading(): void {
    this.child.stdout?.destroy();
  }
}

/** Runs integratorctl to its end without a terminal, in this process: to start one takes longer than most commands. */
export async function ctl(args: readonly string[], { env = {} }: Pick<CtlOptions, 'env'> = {}): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const outputTo = (stream: keyof typeof written) => ({
    write(text: string) {
      written[stream] += text;
    },
  });
  const code = await runCtl(args, {
    env: { ...BARE_ENVIRONMENT, ...env },
    stdin: Readable.from([]),
    stdout: outputTo('stdout'),
    stderr: outputTo('stderr'),
    clock: systemClock,
    etc: '/etc/integratord',
    stop: new AbortController().signal,
  });
  return { code, ...written };
}
