import { access, constants, lstat, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { type Config, maskedSettings, requiresSignedStarts } from './config.ts';
import type { Check, OfflineChecks } from './contract/control-api.ts';
import { controlSocketPath } from './control/control-socket.ts';
import { checkFiles, checkSettings } from './control/doctor.ts';
import { checkServices } from './control/service-checks.ts';
import { type Address, listenBriefly } from './http/servers.ts';
import { systemClock as clock } from './runtime/clock.ts';
import type { Egress } from './runtime/egress.ts';
import { LinesError } from './runtime/lines-error.ts';
import { type Secrets, SecretsUnread } from './secrets/secrets.ts';
import type { HostingThread } from './threads/hosting-thread.ts';

/** The parts of a daemon that the checks use; nothing of them has been started. */
interface DaemonAtRest {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly egress: Egress;
  readonly main: Pick<HostingThread, 'kinesis' | 'deepgram' | 'results'>;
}

/** What systemd tells a unit of itself, and integratorctl a check of the unit (systemd.exec(5)). */
const { USER: user, STATE_DIRECTORY: ownStateDir, RUNTIME_DIRECTORY: ownRuntimeDir } = process.env;
const isOfUnit = ownStateDir !== undefined;

/**
 * `integratord --check`: what `integratorctl doctor` and `config` show while no daemon runs. Creates and removes no file.
 * Root continues as the user of the unit.
 */
export async function checkAtRest({ config, secrets, egress, main }: DaemonAtRest): Promise<OfflineChecks> {
  becomeUnitUser();
  const { region } = config;
  const [services, local] = await Promise.all([
    checkServices({ settings: { region }, secrets, egress, clock, ...main }),
    checkLocally(config),
  ]);
  return { checks: [...services, ...local], settings: maskedSettings(config) };
}

/**
 * As far as that goes without the secrets, each of which is a failed check if it could not be read. Rejects with any other
 * error.
 */
export async function checkWithoutSecrets(config: Config, error: unknown): Promise<OfflineChecks> {
  if (!(error instanceof SecretsUnread)) throw error;
  becomeUnitUser();
  const unread = error.lines.map((line): Check => {
    const [setting, ...detail] = line.split(': ');
    return { name: `secret ${setting}`, verdict: 'fail', detail: detail.join(': ') };
  });
  return { checks: [...unread, ...(await checkLocally(config))], settings: maskedSettings(config) };
}

/** What needs no secret and no other machine. */
async function checkLocally(config: Config): Promise<Check[]> {
  const { STATE_DIR: stateDir, HOST: host, PORT: port, METRICS_PORT: metricsPort } = config;
  const socketPath = controlSocketPath(config.CONTROL_SOCKET);
  const checks = await Promise.all([
    checkSettings({ stateDir, takesUnsignedStarts: !requiresSignedStarts(config) }),
    checkPort('port', 'PORT', { host, port }),
    metricsPort === undefined ? [] : checkPort('metrics port', 'METRICS_PORT', { host, port: metricsPort }),
    socketPath === undefined ? [] : checkSocket(socketPath),
    stateDir === undefined ? [] : checkStateDir(stateDir),
    // The unit has its own limit, which this process does not.
    isOfUnit ? [] : [checkFiles(config.MAX_SESSIONS)],
  ]);
  return checks.flat();
}

function checkPort(name: string, setting: string, address: Address): Promise<Check[]> {
  const free = `${address.host}:${address.port} is free`;
  return tried(name, free, `end that process, or set another ${setting}`, () => listenBriefly(address));
}

/** Root may do what the daemon may not, such as write to a directory of root. */
function becomeUnitUser(): void {
  if (!isOfUnit || user === undefined || process.getuid?.() !== 0) return;
  try {
    process.setgroups?.([user]);
    process.setgid?.(user);
    process.setuid?.(user);
  } catch (error) {
    // Without such a user this is not the machine of the unit.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_CREDENTIAL') throw error;
  }
}

async function checkSocket(path: string): Promise<Check[]> {
  const name = 'control socket';
  const directory = dirname(path);
  if (directory === ownRuntimeDir && !(await exists(directory))) {
    return [{ name, verdict: 'ok', detail: `systemd creates ${directory} for it` }];
  }
  return tried(name, `${path} is free`, 'create its directory, or set CONTROL_SOCKET', async () => {
    await assertWritable(directory);
    await assertFree(path);
  });
}

/** As listenOnSocket does, but a socket that a killed daemon left behind stays: integratorctl tells crashes by it. */
async function assertFree(path: string): Promise<void> {
  if (!(await exists(path))) return;
  if (!(await lstat(path)).isSocket()) throw new Error(`${path} is not a socket`);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => resolve(true)).once('error', () => resolve(false));
  const isTaken = await promise;
  socket.destroy();
  if (isTaken) throw new Error(`another process listens on ${path} (is another integratord running?)`);
}

async function checkStateDir(path: string): Promise<Check[]> {
  const name = 'state directory';
  // Its owner now does not matter: systemd gives it to the user when it starts the unit.
  if (isOfUnit && `${path}/`.startsWith(`${ownStateDir}/`))
    return [{ name, verdict: 'ok', detail: `systemd gives ${ownStateDir} to the daemon` }];
  const parent = await nearestExisting(path);
  const ok = parent === path ? `${path} is writable` : `${path} can be created`;
  const remedy = 'create it for the user of the daemon, or set STATE_DIR';
  const checks = await tried(name, ok, remedy, () => assertWritable(parent));
  if (!isOfUnit || checks.some(({ verdict }) => verdict !== 'ok')) return checks;
  const detail = `${ok}, but not from within the unit, unless a drop-in allows it (ProtectSystem=strict)`;
  return [{ name, verdict: 'warn', detail, remedy: `see that the unit has ReadWritePaths=${path}` }];
}

/** The path, or the nearest of its parents that exists. */
async function nearestExisting(path: string): Promise<string> {
  return path === dirname(path) || (await exists(path)) ? path : nearestExisting(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
  );
}

async function assertWritable(directory: string): Promise<void> {
  try {
    if (!(await stat(directory)).isDirectory()) throw new Error(`${directory} is not a directory`);
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error(`${directory} does not exist`);
    const who = isOfUnit ? `the user ${user}` : 'this user';
    if (code === 'EACCES') throw new Error(`${who} may not create files in ${directory}`);
    throw error;
  }
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
