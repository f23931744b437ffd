import { CheckpointCipher } from '../checkpoints/checkpoint-cipher.ts';
import { Checkpoints } from '../checkpoints/checkpoints.ts';
import { StateDirectory } from '../checkpoints/state-directory.ts';
import type { Config } from '../config.ts';
import type { DeepgramSettings } from '../deepgram/socket.ts';
import { connectKinesis, type Kinesis } from '../kinesis/client.ts';
import type { RootLog } from '../log/log.ts';
import { watchEventLoop } from '../metrics/event-loop.ts';
import { SessionMetrics, type SessionSnapshot } from '../metrics/session-metrics.ts';
import { systemClock } from '../runtime/clock.ts';
import { TimerWheel } from '../runtime/timer-wheel.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { SessionSettings } from '../session/deps.ts';
import { LocalHost } from './local-host.ts';

export interface ThreadOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: RootLog;
  /** Names the thread's file of where its sessions are. */
  readonly name: string;
  /** How many threads host sessions. */
  readonly threads: number;
}

/** What a thread has that hosts sessions: its own connections to AWS, its own timers, its own counts. */
export interface HostingThread {
  readonly host: LocalHost;
  readonly kinesis: Kinesis;
  readonly deepgram: DeepgramSettings;
  readonly checkpoints: Checkpoints | undefined;
  readonly metrics: SessionMetrics;
  /** All that was counted so far. */
  counted(): SessionSnapshot;
}

export function hostingThread({ config, secrets, log, name, threads }: ThreadOptions): HostingThread {
  const clock = systemClock;
  const timers = new TimerWheel(clock);
  const kinesis = connectKinesis(config.region, clock, timers, threads);
  const deepgram = { baseUrl: config.DEEPGRAM_API, key: secrets.deepgramKey };
  const { STATE_DIR } = config;
  const state = STATE_DIR ? new StateDirectory(STATE_DIR, new CheckpointCipher(secrets.deepgramKey)) : undefined;
  const checkpoints = state && new Checkpoints(name, state, clock, log);
  const metrics = new SessionMetrics();
  watchEventLoop(metrics.eventLoopDelayMs);
  const settings = sessionSettings(config);
  const host = new LocalHost({
    kinesis,
    deepgram,
    clock,
    timers,
    log,
    metrics,
    random: Math.random,
    checkpoints,
    settings,
  });
  const counted = () => metrics.snapshot(checkpoints?.oldestAgeMs);
  return { host, kinesis, deepgram, checkpoints, metrics, counted };
}

function sessionSettings(config: Config): SessionSettings {
  return {
    callEndGraceMs: config.CALL_END_GRACE_MS,
    readStallMs: config.READ_STALL_MS,
    rotateAfterMs: config.ROTATE_AFTER_MS,
    alignWaitMs: config.ALIGN_WAIT_MS,
    messageMs: config.MESSAGE_MS,
    replayMs: config.REPLAY_MS,
    deepgramGiveUpMs: config.DEEPGRAM_GIVE_UP_MS,
    bufferBytes: config.SESSION_BUFFER_KIB * 1024,
  };
}
