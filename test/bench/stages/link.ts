/** The link stage: 2-channel PCM in, in real time; WebSocket messages out. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Link } from '../../../daemon/deepgram/link.ts';
import { openSocket, type SocketOpener } from '../../../daemon/deepgram/socket.ts';
import { createLog } from '../../../daemon/log/log.ts';
import { SessionMetrics } from '../../../daemon/metrics/session-metrics.ts';
import { systemClock } from '../../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../../daemon/runtime/timer-wheel.ts';
import { fixedSecret } from '../../../daemon/secrets/secret.ts';
import { API_KEY, tagOf } from '../../load/identity.ts';
import { callNumbers } from '../../load/setup.ts';
import { BLOCK_MS, stereoBlock } from '../../load/sound.ts';
import { runsOf } from '../../support/audio-runs.ts';
import { openDeepgramSocket } from '../naive/deepgram-socket.ts';
import type { Measured, StageTask } from './measured.ts';
import { cpuMs } from './stopwatch.ts';

const TICK_MS = 4;
const WARM_UP_MS = 1000;
const OPENING = 20;
const timers = new TimerWheel(systemClock);
const metrics = new SessionMetrics();

/** A connection that takes a call's audio. */
interface Line {
  send(pcm: Buffer): void;
  /** Resolves when the other side has received all of it. */
  finish(): Promise<void>;
}

const LINES: Readonly<Record<string, (call: number, deepgramUrl: string) => Promise<Line>>> = {
  async integratord(call, deepgramUrl) {
    const settings = { baseUrl: deepgramUrl.replace('http', 'ws'), key: fixedSecret(API_KEY) };
    const params = { tag: tagOf(call), callback: 'https://results.example/' };
    const opener: SocketOpener = (...connection) => openSocket(settings, ...connection);
    const link = await Link.open(opener, params, new AbortController().signal, {
      timers,
      log: createLog('silent'),
      metrics,
      random: Math.random,
      replayMs: 2000,
      giveUpMs: 1000,
      callMs: 0,
      connections: 0,
      onMessage: () => {},
    });
    return {
      send(pcm) {
        for (const run of runsOf(link.buffer, pcm, systemClock.now())) void link.send(run);
      },
      finish: () => link.finish(),
    };
  },
  async ws(call, deepgramUrl) {
    const socket = await openDeepgramSocket(deepgramUrl, call, 'pcm');
    return {
      send: (pcm) => socket.send(pcm),
      async finish() {
        socket.close();
        await once(socket, 'close');
      },
    };
  },
};

export async function measureLink({ contender, calls, seconds, deepgramUrl }: StageTask): Promise<Measured> {
  const lines: Line[] = [];
  for (let call = 0; call < calls; call += OPENING) {
    const opening = callNumbers(calls).slice(call, call + OPENING);
    const open = LINES[contender] as (call: number, deepgramUrl: string) => Promise<Line>;
    lines.push(...(await Promise.all(opening.map((each) => open(each, deepgramUrl)))));
  }
  const sent = lines.map(() => 0);
  const startedAtMs = performance.now();
  const ticker = setInterval(() => {
    const elapsedMs = performance.now() - startedAtMs;
    lines.forEach((line, call) => {
      const due = Math.floor(elapsedMs / BLOCK_MS + ((call * 0.618) % 1));
      for (let block = sent[call] as number; block < due; block++) {
        line.send(stereoBlock({ call, block, saidAtTicks: 0 }));
        sent[call] = block + 1;
      }
    });
  }, TICK_MS);
  await sleep(Math.min(WARM_UP_MS, seconds * 1000));
  const before = { cpuMs: cpuMs(), blocks: sum(sent) };
  await sleep(seconds * 1000);
  const used = { cpuMs: cpuMs() - before.cpuMs, blocks: sum(sent) - before.blocks };
  clearInterval(ticker);
  await Promise.all(lines.map((line) => line.finish()));
  return { cpuMsPerUnit: used.cpuMs / ((used.blocks * BLOCK_MS) / 1000), checksum: 0, sent };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
