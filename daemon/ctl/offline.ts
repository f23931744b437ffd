import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { OfflineChecks } from '../contract/control-api.ts';
import { EXIT } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { printable } from './output/printable.ts';
import { daemonEnvironment } from './unit-settings.ts';

/** The daemon's script, beside this program: in the sources and in a release. */
const DAEMON = fileURLToPath(
  import.meta.url.endsWith('.ts') ? new URL('../main.ts', import.meta.url) : new URL('../main.js', import.meta.url),
);
/** sysexits.h EX_CONFIG: the daemon found its settings invalid. */
const EXIT_CONFIG = 78;

/**
 * Runs `integratord --check` with the settings that its unit would give it. Invalid settings are a failed
 * check. Throws a Failure if it cannot run.
 */
export async function checkOffline(io: Io): Promise<OfflineChecks> {
  const { environment, checks: ofFiles } = daemonEnvironment(io);
  const daemon = spawn(process.execPath, [DAEMON, '--check'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: io.stop,
  });
  const closed = once(daemon, 'close').catch((error: Error) => {
    io.stop.throwIfAborted();
    throw new Failure(`cannot run ${process.execPath}: ${error.message}`, EXIT.failure, { cause: error });
  });
  const [stdout, stderr, [code]] = await Promise.all([text(daemon.stdout), text(daemon.stderr), closed]);
  const { checks, settings } = code === EXIT_CONFIG ? invalid(stderr) : parsed(stdout, stderr, code);
  return { checks: [...ofFiles, ...checks], settings };
}

function parsed(stdout: string, stderr: string, code: unknown): OfflineChecks {
  try {
    return JSON.parse(stdout) as OfflineChecks;
  } catch (cause) {
    const why = printable(stderr.trim()) || `exit code ${code}`;
    throw new Failure(`integratord --check did not finish: ${why}`, EXIT.failure, { cause });
  }
}

function invalid(stderr: string): OfflineChecks {
  const detail = stderr
    .trim()
    .replaceAll(/^integratord: /gm, '')
    .replaceAll('\n', '; ');
  const remedy = 'correct them; see integratord(8)';
  return { checks: [{ name: 'settings', verdict: 'fail', detail, remedy }], settings: {} };
}
