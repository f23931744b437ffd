import { execFile } from 'node:child_process';
import { ReleaseFailure } from './failure.ts';

/** The longest of what a program says that is shown. */
const LAST_WORDS = 2000;

/** Runs a program to its end, gives what it wrote to standard output. Throws ReleaseFailure: `trouble`, and its words. */
export function run(program: string, args: readonly string[], cwd: string, trouble: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd }, (cause, stdout, stderr) => {
      if (!cause) resolve(stdout);
      else {
        const said = (stderr.trim() || stdout.trim() || cause.message).slice(-LAST_WORDS);
        reject(new ReleaseFailure(`${trouble}\n${said}`, { cause }));
      }
    });
  });
}
