import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ScriptProcess } from '../support/script-process.ts';

/** The demo, run as a user would run it, with its own temporary directory. */
export class RunningDemo extends ScriptProcess {
  /** Where the demo keeps its temporary files. */
  readonly directory: string;

  /** Starts the demo, which ends with the test at the latest. */
  constructor(t: ExecutionContext, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const directory = mkdtempSync(join(tmpdir(), 'demo-test-'));
    super('test/demo/main.ts', ['--port', '0', ...args], { env: { TMPDIR: directory, ...env }, detached: true });
    this.directory = directory;
    t.teardown(async () => {
      await this.stop();
      rmSync(directory, { recursive: true });
    });
  }

  /** The first match in its output, past or future; rejects if the demo exits first. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.wrote('stdout', pattern);
  }

  async pageUrl(): Promise<string> {
    return (await this.says(/^Page: (\S+)$/m))[1] as string;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}
