import { CheckpointCipher } from '../checkpoints/checkpoint-cipher.ts';
import { Checkpoints } from '../checkpoints/checkpoints.ts';
import { StateDirectory } from '../checkpoints/state-directory.ts';
import type { DeepgramSettings } from '../deepgram/socket.ts';
import { connectKinesis, type Kinesis } from '../kinesis/client.ts';
import type { RootLog } from '../log/log.ts';
import { watchEventLoop } from '../metrics/event-loop.ts';
import { SessionMetrics, type SessionSnapshot } from '../metrics/session-metrics.ts';
import { Results, type ResultsSettings } from '../results/results.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Egress, ProxySettings } from '../runtime/egress.ts';
import { TimerWheel } from '../runtime/timer-wheel.ts';
import type { SecretSettings } from '../secrets/secret-settings.ts';
import { type Secrets, sealingSecrets } from '../secrets/secrets.ts';
import type { SessionSettings } from '../session/deps.ts';
import { LocalHost } from './local-host.ts';

/** Settings of a thread that hosts sessions; must survive structured cloning. */
export interface HostSettings {
  readonly region: string;
  /** ws(s) URL to which the SDK appends /v1/listen. */
  readonly deepgramBaseUrl: string;
  /** Undefined if sessions do not survive a crash. */
  readonly stateDir: string | undefined;
  readonly secrets: SecretSettings;
  readonly session: SessionSettings;
  readonly results: ResultsSettings;
  /** Undefined without a proxy. */
  readonly proxy: ProxySettings | undefined;
}

interface ThreadOptions {
  readonly settings: HostSettings;
  readonly secrets: Secrets;
  readonly egress: Egress;
  readonly log: RootLog;
  /** Names the thread's positions file. */
  readonly name: string;
  /** Number of threads that host sessions. */
  readonly threads: number;
}

/** What each thread that hosts sessions has of its own: connections, timers, counters. */
export interface HostingThread {
  readonly host: LocalHost;
  readonly kinesis: Kinesis;
  readonly deepgram: DeepgramSettings;
  readonly checkpoints: Checkpoints | undefined;
  readonly metrics: SessionMetrics;
  readonly results: Results;
  /** What the thread has counted so far. */
  counted(): SessionSnapshot;
}

export function hostingThread({ settings, secrets, egress, log, name, threads }: ThreadOptions): HostingThread {
  const clock = systemClock;
  const timers = new TimerWheel(clock);
  const kinesis = connectKinesis(settings.region, clock, timers, threads, egress);
  const deepgram = { baseUrl: settings.deepgramBaseUrl, key: secrets.deepgramKey, egress };
  const { stateDir } = settings;
  const state = stateDir ? new StateDirectory(stateDir, new CheckpointCipher(...sealingSecrets(secrets))) : undefined;
  const checkpoints = state && new Checkpoints(name, state, clock, log);
  const metrics = new SessionMetrics();
  const results = new Results({
    settings: settings.results,
    stateDir,
    region: settings.region,
    egress,
    secrets,
    thread: name,
    threads,
    counter: metrics.results,
    clock,
    timers,
    log,
    random: Math.random,
  });
  watchEventLoop(metrics.eventLoopDelayMs, clock);
  const host = new LocalHost({
    kinesis,
    deepgram,
    clock,
    timers,
    log,
    metrics,
    random: Math.random,
    checkpoints,
    results,
    settings: settings.session,
  });
  const counted = () => metrics.snapshot(checkpoints?.oldestAgeMs, host.lagMs, results.backlog);
  return { host, kinesis, deepgram, checkpoints, metrics, results, counted };
}
