import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that the test needs, and Debian's package for each. */
const PROGRAMS = {
  debootstrap: 'debootstrap',
  'systemd-nspawn': 'systemd-container',
  'systemd-sysusers': 'systemd',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
} as const;

/** What this machine lacks for the test, a line each with what to do; nothing when it has all. */
export function missingRequirements(path = process.env['PATH'] ?? ''): string[] {
  const lines: string[] = [];
  if (process.getuid?.() !== 0) lines.push('It boots a container, which only root may: run it as root.');
  const packages = Object.entries(PROGRAMS).flatMap(([program, name]) => (isOnPath(program, path) ? [] : [name]));
  if (packages.length > 0) {
    const names = [...new Set(packages)].join(' ');
    lines.push(`Programs are missing: apt-get install --no-install-recommends ${names}`);
  }
  return lines;
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // Not in this directory.
      return false;
    }
  });
}
