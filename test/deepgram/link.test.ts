import test, { type ExecutionContext } from 'ava';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { Link } from '../../daemon/deepgram/link.ts';
import { createLog } from '../../daemon/log/log.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { DeepgramControl } from '../simulators/deepgram/client.ts';
import type { Fault } from '../simulators/deepgram/faults.ts';
import { runsOf } from '../support/audio-runs.ts';
import { Program } from '../support/process.ts';

const KEY = 'key-of-the-test';
const CALL_MS = 8192;
const REPLAY_MS = 2000;
const AUDIO = Buffer.alloc(100 * BYTES_PER_MS, 1);

/** What a line says to be safe, asked whenever something happens, of a session that goes on in mid-call after a crash. */
async function asked(t: ExecutionContext, params: Record<string, string>, fault: Fault) {
  const standIn = new Program('test/simulators/deepgram/main.ts', ['--api-key', KEY]);
  t.teardown(() => standIn.stop());
  const url = await standIn.listening();
  await new DeepgramControl(url).addFaults(fault);
  const safeMs: number[] = [];
  const events: string[] = [];
  const note = () => safeMs.push(link.safeMs);
  const log = createLog('info', {
    write(line: string) {
      events.push(JSON.parse(line).event);
      note();
    },
  });
  const settings = { baseUrl: url.replace('http', 'ws'), key: fixedSecret(KEY) };
  const link: Link = await Link.open(settings, params, new AbortController().signal, {
    clock: systemClock,
    timers: new TimerWheel(systemClock),
    log,
    metrics: new SessionMetrics(),
    random: Math.random,
    messageMs: 100,
    replayMs: REPLAY_MS,
    giveUpMs: 60_000,
    bufferBytes: 1024 * 1024,
    callMs: CALL_MS,
    connections: 1,
    onMessage: note,
  });
  note();
  for (let i = 0; i < 60; i++) {
    for (const run of runsOf(link.buffer, AUDIO, systemClock.now())) link.send(run);
    note();
  }
  await link.finish();
  note();
  return { safeMs, events };
}

for (const [mode, params] of [
  ['with a callback', { callback: 'http://127.0.0.1:9/' }],
  ['where results come back', {}],
] as const) {
  test(`what was safe stays safe, after a crash and across a reconnect, ${mode}`, async (t) => {
    const { safeMs, events } = await asked(t, params, { resetAfterMs: 3500 });
    t.deepEqual(events, ['deepgram.lost', 'deepgram.reconnected']);
    t.is(safeMs[0], CALL_MS);
    const fallen = safeMs.findIndex((ms, i) => ms < (safeMs[i - 1] ?? 0));
    t.is(fallen, -1, `it fell: ${safeMs.slice(Math.max(0, fallen - 1), fallen + 1)}`);
    t.true((safeMs.at(-1) ?? 0) > CALL_MS);
  });
}
