import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from '../../support/process.ts';
import { bytesOf, expectedChecksum } from '../checksum.ts';
import { contactOf, FRAGMENT_MS, Material, PCM_BYTES_PER_MS } from '../material.ts';
import { receivedAt, totalsAt } from '../simulators/sink-client.ts';
import { CONTENDERS, type Running } from './contenders.ts';
import { cpuMsOf, residentKibOf } from './process-cpu.ts';

/** Calls run so long before anything is measured: code is compiled, the burst of starts is over. */
const WARM_UP_MS = 3000;
/** After the calls have ended their audio is through within this; who needs longer could not keep up. */
const DRAIN_MS = 15_000;
const LOOK_EVERY_MS = 50;
/** Of the audio that was due: a contender that moved less fell behind. */
const KEPT_UP = 0.98;

export interface WholeTask {
  readonly contender: string;
  readonly chunkMs: number;
  readonly calls: number;
  readonly seconds: number;
  /** Options of Node for the process under measurement. */
  readonly nodeOptions: string;
}

export interface WholeRound {
  /** CPU of the contender's process per second of call that it moved. */
  readonly cpuMsPerUnit: number;
  /** How much of that the kernel took. */
  readonly systemShare: number;
  /** Of one core, so that one can see that none of them was what is waited for. */
  readonly busy: { readonly contender: number; readonly source: number; readonly sink: number };
  readonly keptUp: boolean;
  readonly residentMib: number;
}

/** Moves live calls through one contender, and checks that each got through to the byte. */
export async function wholeRound({ contender, chunkMs, calls, seconds, nodeOptions }: WholeTask): Promise<WholeRound> {
  const source = new Program('test/bench/simulators/source.ts', ['--chunk-ms', String(chunkMs)]);
  const sink = new Program('test/bench/simulators/sink.ts');
  try {
    const [sourceUrl, sinkUrl] = await Promise.all([source.listening(), sink.listening()]);
    const start = CONTENDERS[contender] as (typeof CONTENDERS)[string];
    const running = await start({ sourceUrl, sinkUrl, calls, nodeOptions });
    try {
      await sleep(WARM_UP_MS);
      const round = await measured(running, { source, sink, sinkUrl, chunkMs, calls, seconds });
      await hangUp(running, { sourceUrl, sinkUrl, chunkMs, isToBeWhole: round.keptUp });
      // One that fell behind has calls to move for longer than anybody waits.
      await (round.keptUp ? running.stop() : running.kill());
      return round;
    } catch (error) {
      await running.kill();
      throw error;
    }
  } catch (error) {
    const said = [source, sink].map(({ stderr }) => stderr).join('');
    throw said ? new Error(`${(error as Error).message}; a stand-in said: ${said}`, { cause: error }) : error;
  } finally {
    await Promise.all([source.stop(), sink.stop()]);
  }
}

interface Measuring {
  readonly source: Program;
  readonly sink: Program;
  readonly sinkUrl: string;
  readonly chunkMs: number;
  readonly calls: number;
  readonly seconds: number;
}

async function measured(
  { program, form }: Running,
  { source, sink, sinkUrl, chunkMs, calls, seconds }: Measuring,
): Promise<WholeRound> {
  const look = async () => ({
    bytes: (await totalsAt(sinkUrl)).bytes,
    atMs: performance.now(),
    contender: cpuMsOf(program.pid).total,
    system: cpuMsOf(program.pid).system,
    source: cpuMsOf(source.pid).total,
    sink: cpuMsOf(sink.pid).total,
  });
  const before = await look();
  await sleep(seconds * 1000);
  const after = await look();
  const elapsedMs = after.atMs - before.atMs;
  const bytesPerMs = form === 'pcm' ? PCM_BYTES_PER_MS : mkvBytesPerMs(chunkMs);
  const callMs = (after.bytes - before.bytes) / bytesPerMs;
  const busy = (name: 'contender' | 'source' | 'sink') => (after[name] - before[name]) / elapsedMs;
  return {
    cpuMsPerUnit: (after.contender - before.contender) / (callMs / 1000),
    systemShare: (after.system - before.system) / (after.contender - before.contender),
    busy: { contender: busy('contender'), source: busy('source'), sink: busy('sink') },
    keptUp: callMs >= KEPT_UP * calls * elapsedMs,
    residentMib: residentKibOf(program.pid) / 1024,
  };
}

interface Ending {
  readonly sourceUrl: string;
  readonly sinkUrl: string;
  readonly chunkMs: number;
  readonly isToBeWhole: boolean;
}

/** Ends the calls, waits until the contender is through with them, and compares what arrived with what was sent. */
async function hangUp({ form }: Running, { sourceUrl, sinkUrl, chunkMs, isToBeWhole }: Ending): Promise<void> {
  const response = await fetch(`${sourceUrl}/hang-up`, { method: 'POST' });
  const { fragments } = (await response.json()) as { fragments: Record<string, number> };
  const giveUpAtMs = performance.now() + DRAIN_MS;
  while ((await totalsAt(sinkUrl)).open > 0 && performance.now() < giveUpAtMs) await sleep(LOOK_EVERY_MS);
  const received = await receivedAt(sinkUrl);
  for (const [name, count] of Object.entries(fragments)) {
    const call = Number(name);
    const got = received[contactOf(call)] ?? { bytes: 0, crc: 0, connections: 0 };
    const sentBytes = bytesOf(call, count, form, chunkMs);
    const arrived = `call ${call}: ${got.bytes} bytes arrived of ${sentBytes} on ${got.connections} connections`;
    // More than was sent is what a daemon sends again that had to connect anew: too many calls for this machine.
    if (got.bytes > sentBytes || (isToBeWhole && got.bytes < sentBytes)) throw new Error(arrived);
    if (got.crc !== expectedChecksum(call, got.bytes, form, chunkMs, count)) {
      throw new Error(`${arrived}, and they are not those that were sent`);
    }
  }
}

function mkvBytesPerMs(chunkMs: number): number {
  const { chunks } = new Material(chunkMs).fragment(0);
  return chunks.reduce((sum, { length }) => sum + length, 0) / FRAGMENT_MS;
}
