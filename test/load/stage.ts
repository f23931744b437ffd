import { setTimeout as sleep } from 'node:timers/promises';
import type { Scrape } from '../metrics/scrape.ts';
import { spreadBetween } from './bucket-spread.ts';
import { monotonicMs } from './monotonic.ts';
import { type CpuTimes, cpuTimesOf, machineCpuMs, rssOf, threadsBetween } from './process-usage.ts';
import type { StageFigures } from './report.ts';
import type { Setup } from './setup.ts';
import { STEREO_BYTES_PER_MS } from './sound.ts';
import type { SpreadFigures } from './spread.ts';

const MS_PER_SECOND = 1000;
const BYTES_PER_KIB = 1024;
const EVENT_LOOP_DELAY = 'integratord_event_loop_delay_seconds';
const LAG = 'integratord_lag_seconds';
const DELIVERY = 'integratord_results_delivery_seconds';

/** Readings at the start of a stage. */
interface Beginning {
  readonly atMs: number;
  readonly cpu: CpuTimes;
  readonly machineMs: number;
  readonly messages: number;
  readonly bytes: number;
  readonly requests: number;
  readonly metrics: Scrape;
}

/** Measures the running `calls`. `idleRssBytes` is the daemon's memory without calls. */
export async function measureStage(
  setup: Setup,
  { calls, durationMs, idleRssBytes }: { calls: number; durationMs: number; idleRssBytes: number },
): Promise<StageFigures> {
  const beginning = await begin(setup);
  await sleep(durationMs);
  return figuresSince(beginning, setup, calls, idleRssBytes);
}

async function begin({ daemon, kinesis, deepgram, consumer }: Setup): Promise<Beginning> {
  // Scrapes cost the daemon CPU, so they happen before and after the measurement.
  const metrics = await daemon.scrape();
  const { counts } = await deepgram.order('figures');
  const requests = (await consumer?.order('figures'))?.counts.requests ?? 0;
  await Promise.all([kinesis.order('begin'), deepgram.order('begin'), consumer?.order('begin')]);
  const cpu = cpuTimesOf(daemon.pid);
  return { atMs: monotonicMs(), cpu, machineMs: machineCpuMs(), metrics, requests, ...counts };
}

async function figuresSince(
  beginning: Beginning,
  { daemon, kinesis, deepgram, consumer }: Setup,
  calls: number,
  idleRssBytes: number,
): Promise<StageFigures> {
  const cpu = cpuTimesOf(daemon.pid);
  const machineMs = machineCpuMs() - beginning.machineMs;
  const rssBytes = rssOf(daemon.pid);
  const wallMs = monotonicMs() - beginning.atMs;
  const [said, heard, posted] = await Promise.all([
    kinesis.order('figures'),
    deepgram.order('figures'),
    consumer?.order('figures'),
  ]);
  const metrics = await daemon.scrape();
  const ownLagMs = spreadBetween(beginning.metrics, metrics, LAG);
  const messages = heard.counts.messages - beginning.messages;
  const audioMs = (heard.counts.bytes - beginning.bytes) / STEREO_BYTES_PER_MS;
  const cpuMs = cpu.totalMs - beginning.cpu.totalMs;
  const simulatorsMs = said.strain.cpuMs + heard.strain.cpuMs + (posted?.strain.cpuMs ?? 0);
  return {
    calls,
    seconds: wallMs / MS_PER_SECOND,
    daemon: {
      cpuMs,
      cpuMsPerCallSecond: ratio(cpuMs, audioMs / MS_PER_SECOND),
      callsPerCore: ratio(audioMs, cpuMs),
      eventLoopDelayMs: spreadBetween(beginning.metrics, metrics, EVENT_LOOP_DELAY),
      threads: threadsBetween(beginning.cpu, cpu),
      rssKib: rssBytes / BYTES_PER_KIB,
      rssKibPerCall: (rssBytes - idleRssBytes) / BYTES_PER_KIB / calls,
    },
    lagMs: heard.lagMs,
    ownLagMs,
    ownLagRatio: ratio(ownLagMs.mean, meanOf(heard.lagMs, heard.lagOfBrokenMs)),
    lagOfBrokenMs: heard.lagOfBrokenMs,
    messages: { perCallSecond: ratio(messages, audioMs / MS_PER_SECOND), meanMs: ratio(audioMs, messages) },
    kinesis: { strain: said.strain, latenessMs: said.latenessMs },
    deepgram: { strain: heard.strain },
    results: posted && {
      finals: posted.deliveryMs.count,
      requests: posted.counts.requests - beginning.requests,
      connections: posted.counts.connections,
      deliveryMs: posted.deliveryMs,
      ownDeliveryMs: spreadBetween(beginning.metrics, metrics, DELIVERY),
      consumer: { strain: posted.strain },
    },
    otherCores: Math.max(0, ratio(machineMs - cpuMs - simulatorsMs, wallMs)),
  };
}

function meanOf(one: SpreadFigures, other: SpreadFigures): number {
  return ratio(one.count * one.mean + other.count * other.mean, one.count + other.count);
}

/** 0 for a division by zero: without audio, the verdict says so. */
function ratio(value: number, by: number): number {
  return by === 0 ? 0 : value / by;
}
