import test from 'ava';
import fc from 'fast-check';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import type { Start } from '../../daemon/kinesis/media-source.ts';
import { readContact } from '../../daemon/kinesis/reader.ts';
import { chunkSizes } from '../fuzz/chunks.ts';
import { type Answer, type Body, Connections, jumps } from '../fuzz/connections.ts';
import { calls, PooledStream } from '../fuzz/pooled-stream.ts';
import { SEED_OF_THE_TESTS, seedFrom } from '../fuzz/seed.ts';
import { errorOf, tryOut } from '../fuzz/trial.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { ExactTimers } from './exact-timers.ts';
import { unobserved } from './unobserved.ts';

const HANDOVERS = 1000;
/** The grace period is longer than all clock jumps together, so they cannot end a call. */
const SETTINGS = { callEndGraceMs: 900_000, rotateAfterMs: 1000 };
/** Clock jumps: to when a rotation is due, and to when it stops waiting for the end of a fragment. */
const JUMPS_MS = [0, 1, 5, SETTINGS.rotateAfterMs + 1, 6000];
/** Longer than any reading. */
const LONGEST_MS = 4 * SETTINGS.callEndGraceMs;

/** A connection ends after this many fragments and this many bytes of the next one. */
interface Ending {
  readonly afterFragments: number;
  readonly thenBytes: number;
  readonly ending: Body['ending'];
}

/** After the scripted endings: sends everything that the stream has, and waits for more. */
const AT_THE_END_OF_THE_STREAM: Ending = { afterFragments: Infinity, thenBytes: 0, ending: 'hangs' };

const handover = fc.record({
  calls,
  sizes: chunkSizes,
  endings: fc.array(
    fc.record({
      afterFragments: fc.nat({ max: 4 }),
      thenBytes: fc.oneof(fc.constant(0), fc.nat({ max: 3000 })),
      ending: fc.constantFrom('ends' as const, 'breaks' as const),
    }),
    { maxLength: 6 },
  ),
  jumpsMs: fc.array(fc.constantFrom(...JUMPS_MS), { maxLength: 60 }),
  afterTurns: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 5 }),
});
type Handover = typeof handover extends fc.Arbitrary<infer T> ? T : never;

test('in 1,000 readings of pooled streams, every block of ours arrives once and in order, and none of another contact', async (t) => {
  const seed = seedFrom(process.env, SEED_OF_THE_TESTS);
  const found = await tryOut(handover, holds, { seed, inputs: HANDOVERS });
  t.is(found && `FUZZ_SEED=${found.seed}: ${errorOf(found)} with ${JSON.stringify(found.counterexample)}`, undefined);
});

/** Reads our contact from the stream. Throws unless exactly its blocks arrive, in order. */
async function holds(handover: Handover): Promise<void> {
  const stream = new PooledStream(handover.calls);
  const { contactId, start, expected } = stream;
  const forwarded: string[] = [];
  const clock = new VirtualClock();
  const connections = connectionsBy(stream, handover, clock);
  const contact = { contactId, streamArn: 'arn:of-the-stream', start };
  const { signal } = new AbortController();
  const forward = (blocks: readonly AudioBlock[]) => {
    for (const { pcm } of blocks) forwarded.push(stream.nameOf(pcm));
    return undefined;
  };
  const options = { ...unobserved, forward, timers: new ExactTimers(clock), signal, settings: SETTINGS };
  const reading = (async () => {
    const first = await connections.getMedia(contact.streamArn, start, signal);
    await readContact(first, contact, connections, options);
  })();
  // Awaited below; until then a failure is not unhandled.
  reading.catch(() => {});
  await clock.advance(LONGEST_MS);
  await reading;
  await connections.assertClosed();
  if (forwarded.join() !== expected.join())
    throw new Error(`forwarded [${forwarded.join()}], not [${expected.join()}]`);
}

/** Like the simulator, a body begins after the requested fragment; it ends as scripted. */
function connectionsBy(stream: PooledStream, handover: Handover, clock: VirtualClock): Connections {
  const { endings, afterTurns, sizes, jumpsMs } = handover;
  let opened = 0;
  const body = (start: Start, nth: number): Body => {
    if (!('fragmentNumber' in start)) throw new Error('requested by time, though no fragment is gone');
    const { afterFragments, thenBytes, ending } = endings[nth] ?? AT_THE_END_OF_THE_STREAM;
    const fragments = stream.after(start.fragmentNumber);
    const whole = fragments.slice(0, afterFragments);
    const part = fragments[afterFragments]?.subarray(0, thenBytes) ?? Buffer.alloc(0);
    return { bytes: Buffer.concat([...whole, part]), sizes, ending };
  };
  const answer = (start: Start): Answer => {
    const nth = opened++;
    return { afterTurns: afterTurns[nth % afterTurns.length] as number, body: () => body(start, nth) };
  };
  return new Connections({ clock, answer, onChunk: jumps(clock, (nth) => jumpsMs[nth] ?? 0) });
}
