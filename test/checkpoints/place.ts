import { packed } from '../../daemon/audio/packed-clock.ts';
import { CheckpointCipher } from '../../daemon/checkpoints/checkpoint-cipher.ts';
import { type CheckpointSource, Checkpoints } from '../../daemon/checkpoints/checkpoints.ts';
import { type Disk, StateDirectory } from '../../daemon/checkpoints/state-directory.ts';
import type { Secret } from '../../daemon/secrets/secret.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { requestOf, TIME_ZERO_EPOCH_MS, TRACE_ID } from '../support/session-builders.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { MemoryDisk } from './memory-disk.ts';

export const A = '00000000-0000-4000-8000-00000000000a';
export const B = '00000000-0000-4000-8000-00000000000b';
export const MINUTE_MS = 60_000;
export const STATE = '/state';

/** A session that has read up to `fragment`; each fragment is a second long. */
export class Call implements CheckpointSource {
  readonly sessionId: string;
  readonly traceId = TRACE_ID;
  readonly timeZeroEpochMs = TIME_ZERO_EPOCH_MS;
  readonly request: CheckpointSource['request'];
  fragment: number;

  constructor(sessionId: string, fragment: number) {
    this.sessionId = sessionId;
    this.fragment = fragment;
    this.request = requestOf(sessionId, { dgParams: { callback: 'https://user:planted@host/results?token=planted' } });
  }

  resumePoint(): ReturnType<CheckpointSource['resumePoint']> {
    const position = { fragmentNumber: String(this.fragment), continuationToken: 't', producerEpochMs: 1 };
    const callClock = packed({ originMs: 1, driftFrames: [0, 0], delayFrames: [0, 0] });
    return { position, callClock, callMs: this.fragment * 1000, connections: 1 };
  }
}

/** A state directory, a clock, and threads that use them. */
export function place() {
  const memory = new MemoryDisk();
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const secret: { -readonly [Key in keyof Secret]: Secret[Key] } = {
    current: 'key',
    accepted: ['key'],
    renew: async () => {},
  };
  const thread = (name: string, { path = STATE, disk = memory.disk as Disk } = {}) =>
    new Checkpoints(name, new StateDirectory(path, new CheckpointCipher(secret), disk), clock, log);
  return { memory, clock, secret, thread, of };
}

/** The sessions that can resume, each with the fragment after which it resumes. */
export async function resumable(
  checkpoints: Checkpoints,
  only?: ReadonlySet<string>,
): Promise<Readonly<Record<string, number>>> {
  const found = await checkpoints.load(only);
  return Object.fromEntries(found.map(({ sessionId, position }) => [sessionId, Number(position.fragmentNumber)]));
}
