import { isUtf8 } from 'node:buffer';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../contract/control-api.ts';
import { parseEnvironmentFile } from './environment-file.ts';
import { EXIT } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { credentialFile, UNIT, unitEnvironment } from './unit.ts';

/** What a daemon would be started with, and what is notable about where that comes from. */
interface DaemonEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  readonly checks: readonly Check[];
}

/**
 * The environment that the unit would give the daemon, and nothing of this shell; off an instance, where there is no
 * `io.etc`, the shell's. Throws a Failure if a file cannot be read.
 */
export function daemonEnvironment({ env, etc }: Pick<Io, 'env' | 'etc'>): DaemonEnvironment {
  if (!existsSync(etc)) return { environment: definedIn(env), checks: [] };
  const path = join(etc, 'integratord.env');
  const { settings, ignoredLines } = parseEnvironmentFile(textOf(path));
  for (const name of Object.values(UNIT.credentials)) assertReadable(credentialFile(etc, name));
  const checks = [...ignored(path, ignoredLines), ...trailingComments(path, settings)];
  return { environment: { ...unitEnvironment(etc), ...settings }, checks };
}

/** An absent file has no settings: the unit's EnvironmentFile= begins with `-`. */
function textOf(path: string): string {
  const bytes = read(path, () => readFileSync(path));
  if (bytes === undefined) return '';
  if (!isUtf8(bytes)) throw new Failure(`${path} is not UTF-8, so systemd ignores all of it; save it as UTF-8`);
  return bytes.toString();
}

/** systemd reads credentials as root. Without this, one that only root can read would count as missing. */
function assertReadable(path: string): void {
  read(path, () => accessSync(path, constants.R_OK));
}

/** Undefined if there is no such file. Throws a Failure if this user cannot read it. */
function read<T>(path: string, attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const isDenied = code === 'EACCES' || code === 'EPERM';
    if (isDenied) throw new Failure(`no permission to read ${path}; use sudo`, EXIT.noPermission, { cause: error });
    throw new Failure(`${path} cannot be read: ${message}`, EXIT.failure, { cause: error });
  }
}

function ignored(path: string, lines: readonly number[]): Check[] {
  if (lines.length === 0) return [];
  const which = lines.length === 1 ? `line ${lines[0]}` : `lines ${lines.join(', ')}`;
  const remedy = 'write NAME=value, without export';
  return [{ name: 'settings file', verdict: 'warn', detail: `systemd ignores ${which} of ${path}`, remedy }];
}

/** Explains a value that is refused although it looks right. */
function trailingComments(path: string, settings: Readonly<Record<string, string>>): Check[] {
  const names = Object.keys(settings).filter((name) => /\s#/.test(settings[name] ?? ''));
  if (names.length === 0) return [];
  const detail = `${path} has a # in ${names.join(', ')}, which for systemd is part of the value`;
  return [{ name: 'settings file', verdict: 'warn', detail, remedy: 'give each comment its own line' }];
}

function definedIn(env: Io['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
