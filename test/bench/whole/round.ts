import { setTimeout as sleep } from 'node:timers/promises';
import { cpuTimesOf, rssOf } from '../../load/process-usage.ts';
import { callNumbers, openSimulators, type Simulators } from '../../load/setup.ts';
import { BLOCK_MS, STEREO_BYTES_PER_MS } from '../../load/sound.ts';
import { mkvBytesPerMs } from '../material.ts';
import { assertRight } from './assert-right.ts';
import { CONTENDERS, type Running } from './contenders.ts';

/** Time before the measurement: hot code gets compiled, the burst of starts passes. */
const WARM_UP_MS = 3000;
/** A contender that moved a smaller share of the audio that was due fell behind. */
const KEPT_UP = 0.98;
const BYTES_PER_MIB = 2 ** 20;

interface WholeTask {
  readonly contender: string;
  readonly chunkMs: number;
  readonly calls: number;
  readonly seconds: number;
  /** Node options for the measured process. */
  readonly nodeOptions: string;
}

export interface WholeRound {
  /** The contender's CPU per second of call. */
  readonly cpuMsPerUnit: number;
  /** The kernel's share of it. */
  readonly systemShare: number;
  /** Share of one core, to show that no process was the bottleneck. */
  readonly busy: { readonly contender: number; readonly source: number; readonly sink: number };
  readonly keptUp: boolean;
  readonly residentMib: number;
}

/** Moves live calls through one contender, and checks that every byte of each arrived. */
export async function wholeRound({ contender, chunkMs, calls, seconds, nodeOptions }: WholeTask): Promise<WholeRound> {
  await using cleanup = new AsyncDisposableStack();
  const settings = { tls: null, relays: { blocksAtATime: chunkMs / BLOCK_MS } };
  const simulators = await openSimulators(settings, { verified: callNumbers(calls) }, cleanup);
  const { kinesis, kinesisUrl, deepgramUrl } = simulators;
  const start = CONTENDERS[contender] as (typeof CONTENDERS)[string];
  const running = await start({ kinesisUrl, deepgramUrl, calls, nodeOptions }, cleanup);
  const measuring = async () => {
    // The warm-up need not be longer than the measurement.
    await sleep(Math.min(WARM_UP_MS, seconds * 1000));
    return measured(running, simulators, calls, seconds * 1000);
  };
  const round = await Promise.race([measuring(), running.failed]);
  await kinesis.order('hangUp', callNumbers(calls));
  // A contender that fell behind would take too long to finish.
  if (round.keptUp) await running.finish();
  await check(running, simulators, round.keptUp);
  return round;
}

async function measured(
  { pid, form }: Running,
  { kinesis, deepgram }: Simulators,
  calls: number,
  durationMs: number,
): Promise<WholeRound> {
  await Promise.all([kinesis.order('begin'), deepgram.order('begin')]);
  const before = { cpu: cpuTimesOf(pid), bytes: (await deepgram.order('figures')).counts.bytes };
  await sleep(durationMs);
  const cpu = cpuTimesOf(pid);
  const [source, sink] = await Promise.all([kinesis.order('figures'), deepgram.order('figures')]);
  const cpuMs = cpu.totalMs - before.cpu.totalMs;
  const callMs = (sink.counts.bytes - before.bytes) / (form === 'pcm' ? STEREO_BYTES_PER_MS : mkvBytesPerMs());
  const { wallMs } = sink.strain;
  return {
    cpuMsPerUnit: cpuMs / (callMs / 1000),
    systemShare: cpuMs === 0 ? 0 : (cpu.systemMs - before.cpu.systemMs) / cpuMs,
    busy: { contender: cpuMs / wallMs, source: source.strain.cpuMs / wallMs, sink: sink.strain.cpuMs / wallMs },
    keptUp: callMs >= KEPT_UP * calls * wallMs,
    residentMib: rssOf(pid) / BYTES_PER_MIB,
  };
}

/** Compares what Deepgram received of each call with what was on its stream. */
async function check({ form }: Running, { kinesis, deepgram }: Simulators, isToBeWhole: boolean): Promise<void> {
  const said = await kinesis.order('totals');
  if (form === 'pcm') {
    for (const heard of await deepgram.order('totals', said)) assertRight(heard, isToBeWhole);
    return;
  }
  for (const { call, sent } of said) {
    const got = await deepgram.order('container', call);
    // The checksum is of the whole: an incomplete call cannot be checked.
    if (isToBeWhole && (got.bytes !== sent.bytes || got.crc !== sent.crc)) {
      throw new Error(`call ${call}: ${got.bytes} bytes arrived of ${sent.bytes}, or their content differs`);
    }
  }
}
