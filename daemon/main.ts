#!/usr/bin/env node
import './runtime/require-node.ts';

import type { Server } from 'node:http';
import { program } from 'commander';
import { cordonRecord, drainRecord } from './admission/boot-record.ts';
import { SessionManager } from './admission/manager.ts';
import { watchReadiness } from './admission/readiness.ts';
import { checkAtRest, checkWithoutSecrets } from './check.ts';
import { lockStateDirectory, StateDirectoryTaken } from './checkpoints/state-lock.ts';
import {
  type Config,
  ConfigError,
  EXIT_CONFIG,
  hostSettings,
  maskedSettings,
  proxyOf,
  readConfig,
  requiresSignedStarts,
} from './config.ts';
import { VERSION } from './contract/version.ts';
import { controlApi, type ResultsControl } from './control/control-api.ts';
import { controlSocketPath, listenOnSocket } from './control/control-socket.ts';
import { examine } from './control/doctor.ts';
import { probeDeepgram } from './deepgram/probe.ts';
import { serveInstance, serveMetrics } from './http/servers.ts';
import { connectAutoScaling } from './lifecycle/auto-scaling.ts';
import type { Lifecycle } from './lifecycle/lifecycle.ts';
import { connectMetadata } from './lifecycle/metadata.ts';
import { createNotifier } from './lifecycle/notify.ts';
import { reportTo } from './lifecycle/report.ts';
import { obeySignals } from './lifecycle/signals.ts';
import { startLifecycle } from './lifecycle/start-lifecycle.ts';
import { logFaults } from './log/faults.ts';
import { createLog, type Log, type RootLog } from './log/log.ts';
import { CloudWatchReporter, connectCloudWatch } from './metrics/cloudwatch.ts';
import { InstanceMetrics } from './metrics/instance-metrics.ts';
import { PrometheusPage } from './metrics/prometheus.ts';
import { Threads } from './metrics/thread-totals.ts';
import { webhookFault } from './results/webhook/webhook-url.ts';
import { systemClock as clock } from './runtime/clock.ts';
import { connectDirectlyByDefault, Egress, proxySecrets } from './runtime/egress.ts';
import { LinesError } from './runtime/lines-error.ts';
import { secretValues } from './secrets/secret-settings.ts';
import { openSecrets, type Secrets } from './secrets/secrets.ts';
import { type HostingThread, hostingThread } from './threads/hosting-thread.ts';
import { WorkerPool } from './threads/worker-pool.ts';

/** Auto Scaling lets an instance wait for two days at most, whatever the hook says. */
const LONGEST_TERMINATION_MS = 172_800_000;
/** Without DRAIN_DEADLINE_MS, a drain begins this long before scheduled maintenance: its default. */
const MAINTENANCE_LEAD_MS = 7_200_000;

/** Waiting this long for consumers at the end of a drain is worth a line. */
const NOTABLE_MS = 1000;

const startedAtEpochMs = clock.epoch();

program
  .name('integratord')
  .description(
    'Transcribes Amazon Connect calls with Deepgram. Configured by environment variables: see integratord(8), or daemon/SETTINGS.md in the sources.',
  )
  .version(VERSION)
  .configureOutput({
    outputError: (text, write) =>
      write(`integratord: ${text.trim().replaceAll(/^error: |\.$/g, '')}; see: integratord --help\n`),
  })
  .option('--check', 'check the settings and what they need, print the results as JSON, and start nothing')
  .action(({ check }: { check?: true }) => (check ? printChecks() : run()));
await program.parseAsync().catch(exitWithLines);

/** `integratorctl doctor` shows it, while no daemon runs. Exits with 1 if a check fails. */
async function printChecks(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog('silent');
  connectDirectlyByDefault();
  const egress = new Egress(proxyOf(config));
  const result = await openSecrets(config, clock, log, egress).then(
    (secrets) => {
      const main = hostingThread({ settings: hostSettings(config), secrets, egress, log, name: 'check', threads: 1 });
      return checkAtRest({ config, secrets, egress, main });
    },
    (error: unknown) => checkWithoutSecrets(config, error),
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(result.checks.some(({ verdict }) => verdict === 'fail') ? 1 : 0);
}

/** Accepts sessions until a drain, and exits after the last one. */
async function run(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.LOG_LEVEL);
  log.redactor.learn([...secretValues(config, process.env), ...proxySecrets(config.HTTPS_PROXY)]);
  logFaults(log);
  // Before anything reads or writes there.
  if (config.STATE_DIR !== undefined) await lockStateDirectory(config.STATE_DIR, clock);
  connectDirectlyByDefault();
  const egress = new Egress(proxyOf(config));
  const secrets = await openSecrets(config, clock, log, egress);
  const daemon = wire(config, secrets, egress, log);
  checkWebhook(config, daemon);
  const { main, workers, manager, records } = daemon;
  const { drain } = manager.admission;
  const notifier = createNotifier(process.env, { clock, log });
  await workers?.ready();
  const undelivered = await main.results.recover();
  // Before anything can start or complete a drain: resuming sessions must count as running.
  await manager.resume();
  deliverRest(undelivered, daemon);
  // From here on there are sessions, which a signal must not end.
  obeySignals({ drain, clock, deadlineMs: config.DRAIN_DEADLINE_MS });
  const [interrupted, cordon] = await Promise.all([records?.drain.load(), records?.cordon.load()]);
  if (interrupted) drain.restore(interrupted);
  if (cordon) {
    manager.admission.restoreCordon(cordon);
    log.info({ event: 'daemon.cordoned', reason: cordon.reason }, 'still cordoned, by an order before the restart');
  }
  await watchReadiness({
    check: (signal) => main.kinesis.checkCredentials(signal),
    admission: manager.admission,
    clock,
    log,
  });
  const lifecycle = watchInstance(config, daemon);

  const { url, servers } = await serve(config, daemon, lifecycle);
  const reporter = startReporter(config, daemon);
  if (!requiresSignedStarts(config)) {
    const path = process.env['TRIGGER_SECRET_FILE'];
    const why = path ? `, and its file ${path} is missing or empty` : '';
    const message = `TRIGGER_SECRET is not set${why}: anyone who reaches the port can start sessions`;
    log.warn({ event: 'daemon.unsigned' }, message);
  }
  log.info({ event: 'daemon.started', listening: url, region: config.region }, 'integratord accepts sessions');
  notifier.ready();
  notifier.startWatchdog();
  reportTo(notifier, manager, clock);
  void lifecycle.ready();

  await drain.drained;
  await settleResults(daemon);
  drain.finish();
  notifier.stopping();
  await Promise.all([lifecycle.finish(), reporter?.stop(), records?.drain.settled(), records?.cordon.settled()]);
  lifecycle.stop();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  main.kinesis.close();
  log.info({ event: 'daemon.stopped' }, 'drained: exiting');
  process.exit(0);
}

type Daemon = ReturnType<typeof wire>;

/** A secret in Secrets Manager is known only now. Throws ConfigError. */
function checkWebhook({ RESULTS_WEBHOOK: webhook }: Config, { main }: Pick<Daemon, 'main'>): void {
  const fault = webhook === undefined ? undefined : webhookFault(webhook, main.results.rules);
  if (fault) throw new ConfigError([`RESULTS_WEBHOOK ${fault}`]);
}

interface ResultsOwner {
  readonly manager: Pick<SessionManager, 'has'>;
  readonly main: Pick<HostingThread, 'results'>;
}

/** Has the main thread deliver the events of sessions that do not resume. */
function deliverRest(sessionIds: readonly string[], { manager, main }: ResultsOwner): void {
  for (const sessionId of sessionIds) {
    if (!manager.has(sessionId)) void main.results.deliverRest(sessionId, 'SessionLost');
  }
}

/** Waits until every event is delivered or a dead letter, for as long as the drain may last. */
async function settleResults({ manager, host, main, log }: Daemon): Promise<void> {
  const startedAtMs = clock.now();
  // Every order that comes meanwhile may bring the deadline nearer.
  void manager.admission.drain.pastDeadline.then(() => {
    host.hurryResults();
    main.results.hurry();
  });
  await Promise.all([host.settleResults(), main.results.settle()]);
  const tookMs = Math.round(clock.now() - startedAtMs);
  if (tookMs > NOTABLE_MS) log.info({ event: 'results.settled', tookMs }, 'every event is delivered or a dead letter');
}

/** The parts that live as long as the process, connected. */
function wire(config: Config, secrets: Secrets, egress: Egress, log: RootLog) {
  const settings = hostSettings(config);
  // The main thread hosts sessions only without workers, but always has a Kinesis client and checkpoints.
  const main = hostingThread({ settings, secrets, egress, log, name: 'main', threads: Math.max(1, config.WORKERS) });
  const threads = new Threads(clock);
  threads.join(main.counted);
  const onThreadLost = async (name: string) => deliverRest(await main.results.recover([name]), { manager, main });
  const pooled = { workers: config.WORKERS, settings, clock, log, threads, onThreadLost };
  const workers = config.WORKERS > 0 ? new WorkerPool(pooled) : undefined;
  const host = workers ?? main.host;
  const records = recordsIn(config.STATE_DIR, log);
  const { checkpoints, kinesis, deepgram } = main;
  const probe = (signal: AbortSignal) => Promise.all([probeDeepgram(deepgram, signal), kinesis.probe(signal)]);
  const manager: SessionManager = new SessionManager(
    {
      host,
      clock,
      log,
      checkpoints,
      metrics: main.metrics,
      drainStore: records?.drain,
      cordonStore: records?.cordon,
      probe,
      onLost: (sessionId) => void main.results.deliverRest(sessionId, 'SessionLost'),
    },
    { maxSessions: config.MAX_SESSIONS, healthLagMs: config.HEALTH_LAG_MS },
  );
  const metadata = connectMetadata(process.env, clock);
  const metrics = new InstanceMetrics(manager, threads, clock);
  return { log, secrets, egress, main, workers, host, manager, metadata, metrics, records };
}

/** Orders that outlive a crash; undefined without STATE_DIR. */
function recordsIn(directory: string | undefined, log: Log) {
  if (directory === undefined) return undefined;
  return { drain: drainRecord({ directory, log }), cordon: cordonRecord({ directory, log }) };
}

/** Starts to follow what Auto Scaling and EC2 plan for this instance. */
function watchInstance(
  { DRAIN_DEADLINE_MS: deadlineMs }: Config,
  { manager, metadata, egress, log }: Daemon,
): Lifecycle {
  return startLifecycle({
    metadata,
    // The instance's own region, which may differ from that of the streams.
    autoScaling: connectAutoScaling(() => metadata.region(), clock, egress),
    drain: manager.admission.drain,
    clock,
    log,
    random: Math.random,
    terminationMs: deadlineMs || LONGEST_TERMINATION_MS,
    maintenanceLeadMs: deadlineMs || MAINTENANCE_LEAD_MS,
  });
}

/** Serves the load balancer, operators and, with METRICS_PORT, Prometheus. Throws CannotListen or CannotServeControl. */
async function serve(
  config: Config,
  daemon: Daemon,
  lifecycle: Lifecycle,
): Promise<{ url: string; servers: Server[] }> {
  const { log, manager, main, metrics, secrets } = daemon;
  const { HOST: host, METRICS_PORT: metricsPort, region } = config;
  const page = new PrometheusPage(metrics);
  const metricsPage = metricsPort === undefined ? page : undefined;
  const { triggerSecret } = secrets;
  const { server, url } = await serveInstance(
    { manager, clock, log, metrics, metricsPage, region, triggerSecret, webhookRules: main.results.rules },
    { host, port: config.PORT },
  );
  const servers = [server];
  if (metricsPort !== undefined) servers.push((await serveMetrics(page, log, { host, port: metricsPort })).server);
  const socketPath = controlSocketPath(config.CONTROL_SOCKET);
  if (socketPath !== undefined) servers.push(await listenOnSocket(socketPath, controlFor(config, daemon, lifecycle)));
  return { url, servers };
}

function controlFor(config: Config, { log, secrets, egress, main, manager, metrics }: Daemon, lifecycle: Lifecycle) {
  const { region, STATE_DIR: stateDir } = config;
  const { kinesis, deepgram, results } = main;
  const takesUnsignedStarts = !requiresSignedStarts(config);
  const settings = { region, stateDir, takesUnsignedStarts };
  return controlApi({
    manager,
    settings: {
      shown: maskedSettings(config),
      region,
      logLevel: config.LOG_LEVEL,
      drainDeadlineMs: config.DRAIN_DEADLINE_MS || null,
      hasCheckpoints: stateDir !== undefined,
      takesUnsignedStarts,
    },
    clock,
    log,
    startedAtEpochMs,
    version: VERSION,
    lifecycle,
    results: resultsControl(main, metrics),
    examine: () => examine({ settings, manager, kinesis, deepgram, results, egress, lifecycle, secrets, clock }),
  });
}

function resultsControl({ results }: Pick<HostingThread, 'results'>, metrics: InstanceMetrics): ResultsControl {
  return {
    async status() {
      const [{ resultsBacklog }, { place, letters }] = await Promise.all([metrics.snapshot(), results.deadLetters()]);
      const { events: backlog, oldestAgeMs } = resultsBacklog;
      return { backlog, oldestAgeMs, deadLetters: letters, place };
    },
    retry: () => results.retryDeadLetters(),
  };
}

/** Reports to CloudWatch when METRICS_STACK is set; in the instance's own region where it has one. */
function startReporter(
  { METRICS_STACK: stack, region }: Config,
  { metrics, metadata, egress, log }: Daemon,
): CloudWatchReporter | undefined {
  if (stack === undefined) return undefined;
  const put = connectCloudWatch(() => metadata.region().catch(() => region), egress);
  return new CloudWatchReporter({ stack, metrics, put, instanceId: () => metadata.instanceId(), clock, log });
}

/** Ends a start that failed for a known reason: a line per fault, and no stack trace. */
function exitWithLines(error: unknown): never {
  if (!(error instanceof LinesError)) throw error;
  process.stderr.write(error.lines.map((line) => `integratord: ${line}\n`).join(''));
  // Other failures may pass while systemd restarts the daemon: a secret gets its value, a role its permission.
  const isForGood = error instanceof ConfigError || error instanceof StateDirectoryTaken;
  process.exit(isForGood ? EXIT_CONFIG : 1);
}
