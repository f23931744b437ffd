#!/usr/bin/env node
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { program } from 'commander';
import { SessionManager } from './admission/manager.ts';
import {
  type Config,
  ConfigError,
  EXIT_CONFIG,
  hostSettings,
  maskedSettings,
  readConfig,
  wantsSignedStarts,
} from './config.ts';
import { CONTROL_SOCKET_PATH } from './contract/control-api.ts';
import { VERSION } from './contract/version.ts';
import { controlApi } from './control/control-api.ts';
import { listenOnSocket } from './control/control-socket.ts';
import { examine } from './control/doctor.ts';
import { instanceApi } from './http/instance-api.ts';
import { metricsApi } from './http/metrics-api.ts';
import { connectAutoScaling } from './lifecycle/auto-scaling.ts';
import { connectMetadata, type Metadata } from './lifecycle/metadata.ts';
import { createNotifier } from './lifecycle/notify.ts';
import { reportTo } from './lifecycle/report.ts';
import { startLifecycle } from './lifecycle/start-lifecycle.ts';
import { logFaults } from './log/faults.ts';
import { createLog, type Log, type RootLog } from './log/log.ts';
import { CloudWatchReporter, connectCloudWatch } from './metrics/cloudwatch.ts';
import { InstanceMetrics } from './metrics/instance-metrics.ts';
import { PrometheusPage } from './metrics/prometheus.ts';
import { Threads } from './metrics/thread-totals.ts';
import { systemClock } from './runtime/clock.ts';
import { secretValues } from './secrets/secret-settings.ts';
import { openSecrets, type Secrets, SecretsUnread } from './secrets/secrets.ts';
import { hostingThread } from './threads/hosting-thread.ts';
import { WorkerPool } from './threads/worker-pool.ts';

/** Auto Scaling has a deadline of its own, two days, whatever the hook says. */
const NO_DEADLINE_MS = 172_800_000;

/**
 * Longer than the minute that a load balancer keeps an idle connection (idle_timeout.timeout_seconds): closed by us first,
 * a start that is on its way would be answered by 502.
 */
const KEEP_ALIVE_MS = 75_000;

program
  .name('integratord')
  .description('Transcribes Amazon Connect calls with Deepgram. Configured by environment variables: see README.md.')
  .version(VERSION)
  .action(run);
await program.parseAsync();

async function run(): Promise<void> {
  const config = configOrExit();
  const startedAtEpochMs = systemClock.epoch();
  const log = createLog(config.LOG_LEVEL);
  log.redactor.learn(secretValues(config, process.env));
  logFaults(log);
  const secrets = await secretsOrExit(config, log);
  // The main thread hosts sessions itself when there is no worker to do so.
  const settings = hostSettings(config);
  const main = hostingThread({ settings, secrets, log, name: 'main', threads: Math.max(1, config.WORKERS) });
  const { kinesis, deepgram, checkpoints } = main;
  const threads = new Threads(systemClock);
  threads.join(main.counted);
  const workers =
    config.WORKERS > 0
      ? new WorkerPool({ workers: config.WORKERS, settings, clock: systemClock, log, threads })
      : undefined;
  const host = workers ?? main.host;
  const manager = new SessionManager(
    { host, clock: systemClock, log, checkpoints, metrics: main.metrics },
    { maxSessions: config.MAX_SESSIONS, healthLagMs: config.HEALTH_LAG_MS },
  );
  const metrics = new InstanceMetrics(manager, threads, systemClock);
  const { drain } = manager.admission;
  const notifier = createNotifier(process.env, { clock: systemClock, log });
  // Off EC2 it takes seconds to find that out; no call waits for it.
  const metadata = connectMetadata(process.env, systemClock);
  const lifecycle = startLifecycle({
    metadata,
    // The instance's own region, which need not be that of the streams.
    autoScaling: connectAutoScaling(() => metadata.region(), systemClock),
    drain,
    clock: systemClock,
    log,
    random: Math.random,
    terminationMs: config.DRAIN_DEADLINE_MS || NO_DEADLINE_MS,
  });
  await workers?.ready();
  await manager.resume();

  const metricsPage = new PrometheusPage(metrics);
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS },
    instanceApi({
      manager,
      clock: systemClock,
      log,
      metrics,
      metricsPage: config.METRICS_PORT === undefined ? metricsPage : undefined,
      region: config.region,
      startTimeoutMs: config.START_TIMEOUT_MS,
      triggerSecret: secrets.triggerSecret,
    }),
  );
  await listenOrExit(server, config);
  const servers = [server, ...(await serveMetrics(config, metricsPage, log))];
  const reporter = reporterOf(config, metrics, metadata, log);
  const takesUnsignedStarts = !wantsSignedStarts(config);
  const socketPath = config.CONTROL_SOCKET ?? defaultControlSocket();
  if (socketPath) {
    const api = controlApi({
      manager,
      settings: {
        shown: maskedSettings(config),
        region: config.region,
        logLevel: config.LOG_LEVEL,
        drainDeadlineMs: config.DRAIN_DEADLINE_MS || null,
        hasCheckpoints: config.STATE_DIR !== undefined,
        takesUnsignedStarts,
      },
      clock: systemClock,
      log,
      startedAtEpochMs,
      version: VERSION,
      lifecycle,
      examine: () =>
        examine({
          settings: { region: config.region, stateDir: config.STATE_DIR, takesUnsignedStarts },
          manager,
          kinesis,
          deepgram,
          lifecycle,
          secrets,
          clock: systemClock,
        }),
    });
    servers.push(await listenOnSocket(socketPath, api));
  }
  if (takesUnsignedStarts) {
    log.warn(
      { event: 'daemon.unsigned' },
      'TRIGGER_SECRET is not set: starts are taken from anybody who reaches the port',
    );
  }
  log.info({ event: 'daemon.started', listening: urlOf(server), region: config.region }, 'integratord takes sessions');
  obeySignals(manager, config);
  notifier.ready();
  notifier.startWatchdog();
  reportTo(notifier, manager, systemClock);
  void lifecycle.then((watched) => watched.ready());

  await drain.drained;
  notifier.stopping();
  const watched = await lifecycle;
  await Promise.all([watched.finish(), reporter?.stop()]);
  watched.stop();
  for (const each of servers) {
    each.close();
    each.closeAllConnections();
  }
  kinesis.close();
  log.info({ event: 'daemon.stopped' }, 'the last session is over');
  process.exit(0);
}

/** Serves /metrics on a port of its own, when METRICS_PORT says which. */
async function serveMetrics({ HOST, METRICS_PORT }: Config, page: PrometheusPage, log: Log): Promise<Server[]> {
  if (METRICS_PORT === undefined) return [];
  const server = createServer(metricsApi(page, log));
  await listenOrExit(server, { HOST, PORT: METRICS_PORT });
  log.info({ event: 'metrics.started', metricsAt: urlOf(server) }, 'serves /metrics');
  return [server];
}

/** Tells CloudWatch, when METRICS_STACK says under which name; in the instance's own region where it has one. */
function reporterOf(
  { METRICS_STACK, region }: Config,
  metrics: InstanceMetrics,
  metadata: Metadata,
  log: Log,
): CloudWatchReporter | undefined {
  if (METRICS_STACK === undefined) return undefined;
  const put = connectCloudWatch(() => metadata.region().catch(() => region));
  const instanceId = () => metadata.instanceId();
  return new CloudWatchReporter({ stack: METRICS_STACK, metrics, put, instanceId, clock: systemClock, log });
}

/** SIGTERM drains; SIGINT, or a second signal, ends the running calls now, cleanly. */
function obeySignals({ admission: { drain } }: SessionManager, { DRAIN_DEADLINE_MS }: Config): void {
  let signals = 0;
  const obey = (signal: NodeJS.Signals) => {
    signals++;
    const deadlineAtEpochMs = DRAIN_DEADLINE_MS > 0 ? systemClock.epoch() + DRAIN_DEADLINE_MS : undefined;
    drain.begin({ source: 'signal', reason: signal, deadlineAtEpochMs });
    if (signal === 'SIGINT' || signals > 1) drain.endRemaining();
  };
  process.on('SIGTERM', obey);
  process.on('SIGINT', obey);
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(error.lines.map((line) => `integratord: ${line}\n`).join(''));
    process.exit(EXIT_CONFIG);
  }
}

async function secretsOrExit(config: Config, log: RootLog): Promise<Secrets> {
  try {
    return await openSecrets(config, systemClock, log);
  } catch (error) {
    if (!(error instanceof SecretsUnread)) throw error;
    process.stderr.write(error.lines.map((line) => `integratord: ${line}\n`).join(''));
    // Not EXIT_CONFIG: a secret gets its value, a role its permission, a network its route while systemd tries again.
    process.exit(1);
  }
}

async function listenOrExit(server: Server, { HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): Promise<void> {
  server.listen(PORT, HOST);
  try {
    await once(server, 'listening');
  } catch (error) {
    process.stderr.write(`integratord: cannot listen on ${HOST}:${PORT}: ${(error as Error).message}\n`);
    process.exit(1);
  }
}

function defaultControlSocket(): string | undefined {
  return existsSync(dirname(CONTROL_SOCKET_PATH)) ? CONTROL_SOCKET_PATH : undefined;
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
