import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout, with a slash at the end. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** Exit code and output of a program. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs that are not in npm packages, and the Debian package of each. */
const PACKAGES: Record<string, string> = { packer: 'packer', shellcheck: 'shellcheck' };

/** Runs a program to its end; of our environment it gets only PATH. */
export function attempt(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  // Packer checks for its newest version at HashiCorp, and tests must not use the network.
  const given = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', CHECKPOINT_DISABLE: '1', ...env };
  return new Promise((resolve, reject) => {
    execFile(program, args, { env: given }, (error, stdout, stderr) => {
      if (!error) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else if (error.code === 'ENOENT') reject(missing(program, error));
      else reject(error);
    });
  });
}

/** Runs a program as root, or in a user namespace in which it is root. */
export function attemptAsRoot(program: string, args: readonly string[]): Promise<Ended> {
  if (process.getuid?.() === 0) return attempt(program, args);
  return attempt('unshare', ['--map-root-user', program, ...args]);
}

function missing(program: string, cause: Error): Error {
  const name = PACKAGES[program];
  const what = name ? `: apt-get install --no-install-recommends ${name}` : '';
  return new Error(`${program} is not installed${what}`, { cause });
}
