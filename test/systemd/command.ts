import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Enough for the whole journal. */
const LONGEST_OUTPUT_BYTES = 64 * 1024 * 1024;
/** After an interruption, a process may still write into the directory for a moment. */
const REMOVE_ATTEMPTS = 10;
const REMOVE_AGAIN_MS = 500;

/** Exit code and output of a program. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program's exit code was not 0. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** None of our own environment that could affect programs, such as npm's settings. */
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', HOME: '/root' };

/** Runs a program; resolves whatever its exit code. Rejects if it cannot be started or is aborted. */
export function attempt(program: string, args: readonly string[], signal?: AbortSignal): Promise<Ended> {
  const options = { env: ENVIRONMENT, maxBuffer: LONGEST_OUTPUT_BYTES };
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      signal?.removeEventListener('abort', kill);
      if (!error) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(error);
    });
    // The result is discarded anyway. unshare blocks SIGTERM, but kills its child when it is killed.
    const kill = () => child.kill('SIGKILL');
    signal?.addEventListener('abort', kill);
  });
}

/** Runs a program; returns its standard output. Throws CommandFailed. */
export async function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, signal);
  if (code === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).slice(-2000);
  throw new CommandFailed(`${program} ${args.join(' ')} ended with ${code}: ${said}`);
}

/** Removes a directory, but nothing that is mounted in it. */
export async function removeTree(path: string): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    const { code, stderr } = await attempt('rm', ['--recursive', '--force', '--one-file-system', path]);
    if (code === 0) return;
    if (attempts === REMOVE_ATTEMPTS) throw new CommandFailed(`${path} cannot be removed: ${stderr.trim()}`);
    await sleep(REMOVE_AGAIN_MS);
  }
}
