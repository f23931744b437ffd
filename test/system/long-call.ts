import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { stereo } from '../simulators/deepgram/call-audio.ts';
import { Stage } from './stage.ts';

/** A call that is longer than Kinesis keeps a GetMedia connection open. Times are minutes of the call. */
interface LongCall {
  readonly minutes: number;
  /** Kinesis ends a connection that is this old: the wall. */
  readonly wallMinutes: number;
  /** The daemon replaces a connection of this age; if it is greater than the wall, never. */
  readonly rotateMinutes: number;
  /** Relative to real time. */
  readonly speed: number;
}

/** The outcome of the call. */
interface LongCallOutcome {
  readonly outcome: unknown;
  readonly lostMs: number;
  readonly repeatedMs: unknown;
  /** Whether Deepgram received every sample once, on one connection. */
  readonly isWhole: boolean;
  /** Number of connections replaced after, and before, a wall. */
  readonly resumed: number;
  readonly rotated: number;
  /** GetMedia requests, and the most that were open at the same time. */
  readonly requests: number;
  readonly mostOpen: number;
}

/** Requests without new audio, which show the daemon that the call has ended. */
export const LAST_REQUESTS = 3;
/** Long enough for a slow machine that falls behind: only the walls are under test. */
const RETENTION_MS = 240_000;
const MS_PER_MINUTE = 60_000;
const MINUTE_SAMPLES = 60 * 8000;

export async function playLongCall({ minutes, wallMinutes, rotateMinutes, speed }: LongCall): Promise<LongCallOutcome> {
  const realMs = (callMinutes: number) => String(Math.round((callMinutes * MS_PER_MINUTE) / speed));
  await using cleanup = new AsyncDisposableStack();
  const recordings = await mkdtemp(join(tmpdir(), 'integratord-recordings-'));
  cleanup.defer(() => rm(recordings, { recursive: true }));
  const stage = await Stage.open({
    env: { ROTATE_AFTER_MS: realMs(rotateMinutes) },
    kinesisArgs: ['--max-connection-ms', realMs(wallMinutes)],
    deepgramArgs: ['--recordings', recordings],
  });
  cleanup.defer(() => stage.close());
  const [customer, agent] = [distinctSamples(MINUTE_SAMPLES, 1), distinctSamples(MINUTE_SAMPLES, 2)];
  const voices = { customer: bytesOf(customer), agent: bytesOf(agent), times: minutes };
  const call = await stage.call({ ...voices, speed, options: { contactTag: 'before' } }, 'long', {
    retentionMs: RETENTION_MS,
  });
  await stage.start({ ...call, dgParams: { ...call.dgParams, callback: 'http://127.0.0.1:9/' } });
  const ended = await stage.ended(call.contactId);
  const connections = await stage.closed(call.contactId);
  const { counts, connections: open } = await stage.kinesis.requests();
  const logged = (name: string) => stage.daemon.lines.filter(({ event }) => event === name).length;
  const sha256 = sha256Of(stereo(customer, agent), minutes);
  return {
    outcome: ended['outcome'],
    lostMs: minutes * MS_PER_MINUTE - Number(ended['audioMs']) + Number(ended['gapMs']),
    repeatedMs: ended['replayedMs'],
    isWhole: connections.length === 1 && connections[0]?.sha256 === sha256,
    resumed: logged('kinesis.resumed'),
    rotated: logged('kinesis.rotated'),
    requests: counts.GetMedia,
    mostOpen: open['long']?.max ?? 0,
  };
}

function sha256Of(minute: Buffer, times: number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < times; i++) hash.update(minute);
  return hash.digest('hex');
}
