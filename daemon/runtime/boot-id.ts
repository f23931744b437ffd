import { readFileSync } from 'node:fs';

const PATH = '/proc/sys/kernel/random/boot_id';

/**
 * Identifies this boot of the machine, in 32 hex digits; undefined where nothing does. The unit passes it as BOOT_ID
 * (systemd.unit(5), `%b`), because ProcSubset=pid hides the kernel's file from the daemon.
 */
export function bootId(env: NodeJS.ProcessEnv = process.env, path = PATH): string | undefined {
  return (env['BOOT_ID'] || contentOf(path))?.trim().replaceAll('-', '');
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
