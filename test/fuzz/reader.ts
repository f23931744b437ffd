import fc from 'fast-check';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import type { Start } from '../../daemon/kinesis/media-source.ts';
import { readContact } from '../../daemon/kinesis/reader.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { createLog } from '../../daemon/log/log.ts';
import { type Clock, systemClock } from '../../daemon/runtime/clock.ts';
import { CONTACT } from '../kinesis/stream.ts';
import { unobserved } from '../kinesis/unobserved.ts';
import { CheckedAligner } from './aligned.ts';
import { type Answer, type Body, Connections } from './connections.ts';
import { assertOurs } from './guard.ts';
import { input } from './inputs.ts';

/** What becomes of one GetMedia: a refusal, or bytes and how they end. */
interface Connection extends Body {
  readonly refusal: string | undefined;
  readonly afterTurns: number;
}

/** What Kinesis sends, connection by connection, and how the time goes: a step for each look at the clock. */
export interface Script {
  readonly connections: readonly Connection[];
  readonly stepsMs: readonly number[];
}

const connection: fc.Arbitrary<Connection> = fc
  .record({
    input,
    ending: fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom('ends' as const, 'breaks' as const) },
      // Rare, since it takes the reader's real time.
      { weight: 1, arbitrary: fc.constant('hangs' as const) },
    ),
    refusal: fc.option(fc.constantFrom('ClientLimitExceededException', 'ResourceNotFoundException'), {
      nil: undefined,
      freq: 20,
    }),
    afterTurns: fc.nat({ max: 40 }),
  })
  .map(({ input, ...rest }) => ({ ...input, ...rest }));

export const script: fc.Arbitrary<Script> = fc.record({
  connections: fc.array(connection, { minLength: 1, maxLength: 4 }),
  stepsMs: fc.array(fc.constantFrom(0, 1, 1, 5, 30, 1100, 6000), { minLength: 1, maxLength: 12 }),
});

/** Waits as short as they can be, since they take real time; how soon Kinesis must answer is no matter here. */
const SETTINGS = { callEndGraceMs: 20, readStallMs: 10_000, rotateAfterMs: 1000 };
const log = createLog('silent');

/**
 * The whole reader and the aligner behind it: it comes to an end, throws nothing but KinesisRefused, has two connections
 * at most and leaves none open, asks for nothing that Kinesis would not understand, and keeps the ContactId guard.
 */
export async function readerHolds({ connections, stepsMs }: Script): Promise<void> {
  const stop = new AbortController();
  const malformed: Start[] = [];
  const answers = answersBy(connections, stop);
  const kinesis = new Connections((start) => {
    if (!isUnderstood(start)) malformed.push(start);
    return answers();
  });
  const bodies = connections.map(({ bytes }) => bytes);
  const aligner = new CheckedAligner();
  let forwardedBytes = 0;
  const forward = (blocks: readonly AudioBlock[]) => {
    for (const { pcm } of blocks) {
      assertOurs(pcm, bodies);
      forwardedBytes += pcm.length;
    }
    aligner.add(blocks);
    return undefined;
  };
  const options = {
    ...unobserved,
    forward,
    clock: steppedClock(stepsMs),
    log,
    signal: stop.signal,
    settings: SETTINGS,
  };
  try {
    const first = await kinesis.getMedia(CONTACT.streamArn, CONTACT.start, stop.signal);
    await readContact(first, CONTACT, kinesis, options);
  } catch (error) {
    if (!(error instanceof KinesisRefused)) throw error;
  }
  aligner.finish();
  await kinesis.assertClosed();
  const sentBytes = bodies.reduce((total, { length }) => total + length, 0);
  if (forwardedBytes > sentBytes) throw new Error(`${forwardedBytes} bytes forwarded of ${sentBytes}`);
  if (malformed.length > 0) throw new Error(`Kinesis was asked for ${JSON.stringify(malformed).slice(0, 300)}`);
}

/** One answer after the other; after the last the reading is stopped, as by a daemon that ends. */
function answersBy(connections: readonly Connection[], stop: AbortController): () => Answer {
  let next = 0;
  return () => {
    const connection = connections[next++];
    if (!connection) stop.abort();
    const body = () => {
      if (!connection) throw new KinesisRefused('AbortError', 'the script is over', undefined);
      if (connection.refusal) throw new KinesisRefused(connection.refusal, 'by the script', undefined);
      return connection;
    };
    return { afterTurns: connection?.afterTurns ?? 0, body };
  };
}

/** A clock that goes on by the next step whenever it is looked at. */
function steppedClock(stepsMs: readonly number[]): Clock {
  let nowMs = 0;
  let looks = 0;
  const now = () => {
    nowMs += stepsMs[looks++ % stepsMs.length] as number;
    return nowMs;
  };
  return { ...systemClock, now, epoch: now };
}

/** AWS' documentation of StartSelector: the patterns of its strings; a date that is none cannot even be sent. */
function isUnderstood(start: Start): boolean {
  if ('atEpochMs' in start) return !Number.isNaN(new Date(start.atEpochMs).getTime());
  if ('continuationToken' in start && start.continuationToken) {
    return /^[a-zA-Z0-9_.-]{1,128}$/.test(start.continuationToken);
  }
  return /^[0-9]{1,128}$/.test(start.fragmentNumber);
}
