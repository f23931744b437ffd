import { execFile } from 'node:child_process';
import { ReleaseFailure } from './failure.ts';

/** Length of the output that a failure shows. */
const MAX_OUTPUT = 2000;

/** Runs a program and returns its standard output. Throws ReleaseFailure with `trouble` and the program's messages. */
export function run(program: string, args: readonly string[], cwd: string, trouble: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd }, (cause, stdout, stderr) => {
      if (!cause) resolve(stdout);
      else {
        const said = (stderr.trim() || stdout.trim() || cause.message).slice(-MAX_OUTPUT);
        reject(new ReleaseFailure(`${trouble}\n${said}`, { cause }));
      }
    });
  });
}
