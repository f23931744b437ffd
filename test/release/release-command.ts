import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { CHECKOUT } from '../../packer/release/checkout.ts';

/** Exit code and output of the command. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Circumstances {
  /** Default: this one. */
  readonly checkout?: string;
  readonly env?: Record<string, string>;
  /** For umask(1). */
  readonly umask?: string;
}

/** Runs `npm run release` with these arguments. */
export function release(
  args: readonly string[],
  { checkout = CHECKOUT, ...others }: Circumstances = {},
): Promise<Ended> {
  return script(join(checkout, 'packer/release/main.ts'), args, { checkout, ...others });
}

/** Builds a release for arm64 in `out` with a small program in place of Node. */
export function smallRelease(out: string, { checkout = CHECKOUT, ...others }: Circumstances = {}): Promise<Ended> {
  return script(join(CHECKOUT, 'test/release/small-release.ts'), [checkout, out], { checkout, ...others });
}

function script(
  file: string,
  args: readonly string[],
  { checkout = CHECKOUT, env = {}, umask = '022' }: Circumstances,
): Promise<Ended> {
  const command = [process.execPath, file, ...args];
  // Node warns of NO_COLOR beside FORCE_COLOR, which a test sets.
  const { NO_COLOR: _, ...inherited } = process.env;
  const options = { cwd: checkout, env: { ...inherited, ...env } };
  return new Promise((resolve) => {
    execFile('sh', ['-c', 'umask "$0" && exec "$@"', umask, ...command], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
