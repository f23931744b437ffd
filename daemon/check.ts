import { access, constants, mkdir } from 'node:fs/promises';
import { type Config, maskedSettings, requiresSignedStarts } from './config.ts';
import type { Check, OfflineChecks } from './contract/control-api.ts';
import { controlSocketPath, listenOnSocket } from './control/control-socket.ts';
import { checkFiles, checkSettings } from './control/doctor.ts';
import { checkServices } from './control/service-checks.ts';
import { type Address, listenBriefly } from './http/servers.ts';
import { systemClock as clock } from './runtime/clock.ts';
import type { Egress } from './runtime/egress.ts';
import { LinesError } from './runtime/lines-error.ts';
import type { Secrets } from './secrets/secrets.ts';
import type { HostingThread } from './threads/hosting-thread.ts';

/** The parts of a daemon that the checks use; nothing of them has been started. */
interface DaemonAtRest {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly egress: Egress;
  readonly main: Pick<HostingThread, 'kinesis' | 'deepgram' | 'results'>;
}

/** `integratord --check`: what `integratorctl doctor` and `config` show while no daemon runs. Leaves nothing behind. */
export async function checkAtRest({ config, secrets, egress, main }: DaemonAtRest): Promise<OfflineChecks> {
  const { region, STATE_DIR: stateDir, HOST: host, PORT: port, METRICS_PORT: metricsPort } = config;
  const settings = { region, stateDir, takesUnsignedStarts: !requiresSignedStarts(config) };
  const socketPath = controlSocketPath(config.CONTROL_SOCKET);
  const checks = await Promise.all([
    checkSettings(settings),
    checkServices({ settings, secrets, egress, clock, ...main }),
    checkPort('port', 'PORT', { host, port }),
    metricsPort === undefined ? [] : checkPort('metrics port', 'METRICS_PORT', { host, port: metricsPort }),
    socketPath === undefined ? [] : checkSocket(socketPath),
    stateDir === undefined ? [] : checkStateDir(stateDir),
    [checkFiles(config.MAX_SESSIONS)],
  ]);
  return { checks: checks.flat(), settings: maskedSettings(config) };
}

function checkPort(name: string, setting: string, address: Address): Promise<Check[]> {
  const free = `${address.host}:${address.port} is free`;
  return tried(name, free, `end that process, or set another ${setting}`, () => listenBriefly(address));
}

function checkSocket(path: string): Promise<Check[]> {
  return tried('control socket', `${path} is free`, 'create its directory, or set CONTROL_SOCKET', async () => {
    const server = await listenOnSocket(path, () => {});
    server.close();
  });
}

function checkStateDir(path: string): Promise<Check[]> {
  const remedy = 'create it for the user of the daemon (the unit does), or set STATE_DIR';
  return tried('state directory', `${path} is writable`, remedy, async () => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.W_OK | constants.X_OK);
  });
}

/** A check that passes if `attempt` does. */
async function tried(name: string, ok: string, remedy: string, attempt: () => Promise<void>): Promise<Check[]> {
  try {
    await attempt();
    return [{ name, verdict: 'ok', detail: ok }];
  } catch (error) {
    const detail = error instanceof LinesError ? error.lines.join('; ') : (error as Error).message;
    return [{ name, verdict: 'fail', detail, remedy }];
  }
}
