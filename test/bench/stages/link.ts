/** The link stage: 2-channel PCM in, as it comes in real time; messages on a WebSocket out. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { Link } from '../../../daemon/deepgram/link.ts';
import { openSocket, type SocketOpener } from '../../../daemon/deepgram/socket.ts';
import { createLog } from '../../../daemon/log/log.ts';
import { SessionMetrics } from '../../../daemon/metrics/session-metrics.ts';
import { systemClock } from '../../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../../daemon/runtime/timer-wheel.ts';
import { fixedSecret } from '../../../daemon/secrets/secret.ts';
import { runsOf } from '../../support/audio-runs.ts';
import { expectedChecksum } from '../checksum.ts';
import { contactOf, firstFragmentOf, Material, PCM_BYTES_PER_MS } from '../material.ts';
import { receivedAt } from '../simulators/sink-client.ts';
import type { Measured, StageTask } from './measured.ts';
import { cpuMs } from './stopwatch.ts';

const CHUNK_MS = 64;
const CHUNK_BYTES = CHUNK_MS * PCM_BYTES_PER_MS;
const TICK_MS = 4;
const WARM_UP_MS = 1000;
const OPENING = 20;
const timers = new TimerWheel(systemClock);
const metrics = new SessionMetrics();

/** A line that a call's audio is handed over to. */
interface Line {
  send(pcm: Buffer): void;
  /** Resolves when the other side has all of it. */
  finish(): Promise<void>;
}

const LINES: Readonly<Record<string, (call: number, sinkUrl: string) => Promise<Line>>> = {
  async integratord(call, sinkUrl) {
    const settings = { baseUrl: sinkUrl.replace('http', 'ws'), key: fixedSecret('key-of-the-benchmark') };
    const params = { tag: contactOf(call), callback: 'https://results.example/' };
    const opener: SocketOpener = (...connection) => openSocket(settings, ...connection);
    const link = await Link.open(opener, params, new AbortController().signal, {
      timers,
      log: createLog('silent'),
      metrics,
      random: Math.random,
      messageMs: 100,
      replayMs: 2000,
      giveUpMs: 1000,
      bufferBytes: 1024 * 1024,
      callMs: 0,
      connections: 0,
      onMessage: () => {},
    });
    return {
      send(pcm) {
        for (const run of runsOf(link.buffer, pcm, systemClock.now())) link.send(run);
      },
      finish: () => link.finish(),
    };
  },
  async ws(call, sinkUrl) {
    const url = `${sinkUrl.replace('http', 'ws')}/v1/listen?tag=${contactOf(call)}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await once(socket, 'open');
    return {
      send: (pcm) => socket.send(pcm),
      async finish() {
        socket.close();
        await once(socket, 'close');
      },
    };
  },
};

export async function measureLink({ contender, calls, seconds, sinkUrl }: StageTask): Promise<Measured> {
  const material = new Material(CHUNK_MS);
  const lines: Line[] = [];
  for (let call = 0; call < calls; call += OPENING) {
    const opening = Array.from({ length: Math.min(OPENING, calls - call) }, (_, i) => call + i);
    const open = LINES[contender] as (call: number, sinkUrl: string) => Promise<Line>;
    lines.push(...(await Promise.all(opening.map((each) => open(each, sinkUrl)))));
  }
  const sent = lines.map(() => 0);
  const startedAtMs = performance.now();
  const ticker = setInterval(() => {
    const elapsedMs = performance.now() - startedAtMs;
    lines.forEach((line, call) => {
      const due = Math.floor(elapsedMs / CHUNK_MS + ((call * 0.618) % 1));
      for (let chunk = sent[call] as number; chunk < due; chunk++) {
        line.send(pcmOf(material, call, chunk));
        sent[call] = chunk + 1;
      }
    });
  }, TICK_MS);
  await sleep(WARM_UP_MS);
  const before = { cpuMs: cpuMs(), chunks: sum(sent) };
  await sleep(seconds * 1000);
  const used = { cpuMs: cpuMs() - before.cpuMs, chunks: sum(sent) - before.chunks };
  clearInterval(ticker);
  await Promise.all(lines.map((line) => line.finish()));
  const received = await receivedAt(sinkUrl);
  for (const [call, chunks] of sent.entries()) {
    const bytes = received[contactOf(call)]?.bytes;
    if (bytes !== chunks * CHUNK_BYTES) throw new Error(`call ${call}: ${bytes} bytes arrived of ${chunks} messages`);
    if (received[contactOf(call)]?.crc !== expectedChecksum(call, bytes, 'pcm', CHUNK_MS)) {
      throw new Error(`call ${call}: other audio arrived than was sent`);
    }
  }
  return { cpuMsPerUnit: used.cpuMs / ((used.chunks * CHUNK_MS) / 1000), checksum: 0 };
}

function pcmOf(material: Material, call: number, chunk: number): Buffer {
  const perFragment = material.fragment(0).pcm.length / CHUNK_BYTES;
  const { pcm } = material.fragment(firstFragmentOf(call) + Math.floor(chunk / perFragment));
  const from = (chunk % perFragment) * CHUNK_BYTES;
  return pcm.subarray(from, from + CHUNK_BYTES);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
