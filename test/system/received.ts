import type { DeepgramControl } from '../simulators/deepgram/client.ts';
import type { ConnectionFacts } from '../simulators/deepgram/recording.ts';

const BYTES_PER_MS = 32;

/** What one connection received, and its position in the call. */
interface ReceivedRun {
  readonly offsetMs: number;
  readonly audio: Buffer;
  readonly facts: ConnectionFacts;
}

/** The call, put together from all connections of its session, as a consumer of Deepgram's results could do. */
interface Received {
  /** 2-channel PCM, silent where no connection received audio. */
  readonly audio: Buffer;
  readonly runs: readonly ReceivedRun[];
  /** Call time that no connection received. */
  readonly missingMs: number;
  /** Per reconnect: call time that the new connection received again. */
  readonly twiceMs: readonly number[];
  /** Whether all connections received the same audio for the same time. */
  readonly agrees: boolean;
}

/** Puts the call together by each connection's offset in `extra`. */
export async function received(deepgram: DeepgramControl, tag: string): Promise<Received> {
  const runs: ReceivedRun[] = [];
  for (const facts of await deepgram.connectionsTagged(tag)) {
    runs.push({ offsetMs: offsetOf(facts), audio: await deepgram.audio(facts.requestId), facts });
  }
  const audio = Buffer.alloc(Math.max(0, ...runs.map(endOf)));
  const twiceMs: number[] = [];
  let missing = 0;
  let reached = 0;
  let agrees = true;
  for (const run of runs) {
    const start = run.offsetMs * BYTES_PER_MS;
    const twice = Math.max(0, Math.min(reached, endOf(run)) - start);
    agrees &&= audio.subarray(start, start + twice).equals(run.audio.subarray(0, twice));
    missing += Math.max(0, start - reached);
    run.audio.copy(audio, start);
    reached = Math.max(reached, endOf(run));
    twiceMs.push(twice / BYTES_PER_MS);
  }
  return { audio, runs, missingMs: missing / BYTES_PER_MS, twiceMs: twiceMs.slice(1), agrees };
}

function endOf({ offsetMs, audio }: ReceivedRun): number {
  return offsetMs * BYTES_PER_MS + audio.length;
}

function offsetOf({ query }: ConnectionFacts): number {
  const told = query.find(([name, value]) => name === 'extra' && value.startsWith('dgintegrator_offset_ms:'));
  return told ? Number(told[1].split(':')[1]) : 0;
}
