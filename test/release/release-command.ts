import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { CHECKOUT } from '../../packer/release/checkout.ts';

/** What the command said, and how it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Circumstances {
  /** This one, unless another is named. */
  readonly checkout?: string;
  readonly env?: Record<string, string>;
  /** As umask(1) takes it. */
  readonly umask?: string;
}

/** Runs what `npm run release` runs, with these arguments. */
export function release(
  args: readonly string[],
  { checkout = CHECKOUT, env = {}, umask = '022' }: Circumstances = {},
): Promise<Ended> {
  const command = [process.execPath, join(checkout, 'packer/release/main.ts'), ...args];
  const options = { cwd: checkout, env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    execFile('sh', ['-c', 'umask "$0" && exec "$@"', umask, ...command], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
