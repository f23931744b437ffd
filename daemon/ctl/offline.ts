import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import type { OfflineChecks } from '../contract/control-api.ts';
import { EXIT } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { printable } from './output/printable.ts';

/** The daemon's script, beside this program: in the sources and in a release. */
const DAEMON = fileURLToPath(
  import.meta.url.endsWith('.ts') ? new URL('../main.ts', import.meta.url) : new URL('../main.js', import.meta.url),
);
/** What systemd/integratord.service sets, where it is installed. */
const STATE_DIR = '/var/lib/integratord';
const CREDENTIALS = { DEEPGRAM_API_KEY_FILE: 'deepgram-api-key', TRIGGER_SECRET_FILE: 'trigger-secret' } as const;
/** sysexits.h EX_CONFIG: the daemon found its settings invalid. */
const EXIT_CONFIG = 78;

/**
 * Runs `integratord --check` with the settings that its unit would give it, from `io.etc`. Invalid settings are a failed
 * check. Throws a Failure if it cannot run.
 */
export async function checkOffline(io: Io): Promise<OfflineChecks> {
  const daemon = spawn(process.execPath, [DAEMON, '--check'], {
    env: daemonEnvironment(io),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: io.stop,
  });
  const [stdout, stderr, [code]] = await Promise.all([text(daemon.stdout), text(daemon.stderr), once(daemon, 'close')]);
  if (code === EXIT_CONFIG) return { checks: [invalidSettings(stderr)], settings: {} };
  try {
    return JSON.parse(stdout) as OfflineChecks;
  } catch (cause) {
    const why = printable(stderr.trim()) || `exit code ${code}`;
    throw new Failure(`integratord --check did not finish: ${why}`, EXIT.failure, { cause });
  }
}

function invalidSettings(stderr: string): OfflineChecks['checks'][number] {
  const detail = stderr
    .trim()
    .replaceAll(/^integratord: /gm, '')
    .replaceAll('\n', '; ');
  return { name: 'settings', verdict: 'fail', detail, remedy: 'correct them; see integratord(8)' };
}

function daemonEnvironment({ env, etc }: Io): Record<string, string> {
  const settings = { ...definedIn(env), ...definedIn(settingsIn(join(etc, 'integratord.env'))) };
  for (const [setting, name] of Object.entries(CREDENTIALS)) {
    const file = join(etc, 'credentials', name);
    if (settings[setting] === undefined && existsSync(file)) settings[setting] = file;
  }
  if (existsSync(STATE_DIR)) settings['STATE_DIR'] ??= STATE_DIR;
  return settings;
}

function settingsIn(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Off an instance, the settings are in the environment.
    if (code === 'ENOENT') return {};
    throw new Failure(`${file} cannot be read: ${message}`, code === 'EACCES' ? EXIT.noPermission : EXIT.failure);
  }
}

function definedIn(env: NodeJS.Dict<string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
