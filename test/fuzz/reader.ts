import fc from 'fast-check';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import type { Start } from '../../daemon/kinesis/media-source.ts';
import { readContact } from '../../daemon/kinesis/reader.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { ExactTimers } from '../kinesis/exact-timers.ts';
import { CONTACT } from '../kinesis/stream.ts';
import { unobserved } from '../kinesis/unobserved.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { CheckedAligner } from './aligned.ts';
import { type Answer, type Body, Connections, jumps } from './connections.ts';
import { assertOurs } from './guard.ts';
import { input } from './inputs.ts';

/** The response to one GetMedia: a refusal, or bytes and how they end. */
interface Connection extends Body {
  readonly refusal: string | undefined;
  readonly afterTurns: number;
}

/** What Kinesis sends, connection by connection, and how time passes: a step before each chunk. */
interface Script {
  readonly connections: readonly Connection[];
  readonly stepsMs: readonly number[];
}

const connection: fc.Arbitrary<Connection> = fc
  .record({
    input,
    ending: fc.constantFrom('ends' as const, 'breaks' as const, 'hangs' as const),
    refusal: fc.option(fc.constantFrom('ClientLimitExceededException', 'ResourceNotFoundException'), {
      nil: undefined,
      freq: 20,
    }),
    afterTurns: fc.nat({ max: 40 }),
  })
  .map(({ input, ...rest }) => ({ ...input, ...rest }));

export const script: fc.Arbitrary<Script> = fc.record({
  connections: fc.array(connection, { minLength: 1, maxLength: 4 }),
  stepsMs: fc.array(fc.constantFrom(0, 1, 1, 5, 30, 600, 1100, 6000, 9000), { minLength: 1, maxLength: 12 }),
});

/** The defaults, except for rotations, which are frequent. */
const SETTINGS = { callEndGraceMs: 15_000, rotateAfterMs: 1000 };
/** Longer than any script takes. */
const LONGEST_MS = 30 * 60_000;

/**
 * The whole reader with the aligner: it ends, throws only KinesisRefused, has at most two connections and leaves none
 * open, requests nothing that Kinesis would reject as malformed, and forwards only what the guard allows.
 */
export async function readerHolds({ connections, stepsMs }: Script): Promise<void> {
  const stop = new AbortController();
  const malformed: Start[] = [];
  const clock = new VirtualClock();
  const answers = answersBy(connections, stop);
  const answer = (start: Start) => {
    if (!isWellFormed(start)) malformed.push(start);
    return answers();
  };
  const onChunk = jumps(clock, (nth) => stepsMs[nth % stepsMs.length] as number);
  const kinesis = new Connections({ clock, answer, onChunk });
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
  const timers = new ExactTimers(clock);
  const options = { ...unobserved, forward, timers, signal: stop.signal, settings: SETTINGS };
  const reading = (async () => {
    const first = await kinesis.getMedia(CONTACT.streamArn, CONTACT.start, stop.signal);
    await readContact(first, CONTACT, kinesis, options);
  })();
  const outcome = Promise.allSettled([reading]);
  await clock.advance(LONGEST_MS);
  const [ended] = await outcome;
  if (ended.status === 'rejected' && !(ended.reason instanceof KinesisRefused)) throw ended.reason;
  aligner.finish();
  await kinesis.assertClosed();
  const sentBytes = bodies.reduce((total, { length }) => total + length, 0);
  if (forwardedBytes > sentBytes) throw new Error(`${forwardedBytes} bytes forwarded of ${sentBytes}`);
  if (malformed.length > 0) throw new Error(`malformed requests: ${JSON.stringify(malformed).slice(0, 300)}`);
}

/** One response after the other; after the last one the reading is stopped, as by a daemon that exits. */
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

/** The patterns in AWS's documentation of StartSelector; an invalid date cannot even be sent. */
function isWellFormed(start: Start): boolean {
  if ('atEpochMs' in start && start.atEpochMs !== undefined) return !Number.isNaN(new Date(start.atEpochMs).getTime());
  if ('continuationToken' in start && start.continuationToken) {
    return /^[a-zA-Z0-9_.-]{1,128}$/.test(start.continuationToken);
  }
  return 'fragmentNumber' in start && /^[0-9]{1,128}$/.test(start.fragmentNumber);
}
