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
/** A grace period longer than all jumps of the clock together, which are none of the stream's silence. */
const SETTINGS = { callEndGraceMs: 900_000, readStallMs: 900_000, rotateAfterMs: 1000 };
/** Jumps of the clock: to where a rotation is due, and to where it waits no longer for the end of a fragment. */
const JUMPS_MS = [0, 1, 5, SETTINGS.rotateAfterMs + 1, 6000];
/** Longer than any reading. */
const LONGEST_MS = 4 * SETTINGS.callEndGraceMs;

/** How a connection ends: after so many fragments and so many bytes of the next one. */
interface Ending {
  readonly afterFragments: number;
  readonly thenBytes: number;
  readonly ending: Body['ending'];
}

/** After the scripted ones: gives all that the stream has, and waits for more. */
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

test('not a frame of another contact in 1,000 hand-overs of a pooled stream, and all of ours once and in order', async (t) => {
  const seed = seedFrom(process.env, SEED_OF_THE_TESTS);
  const found = await tryOut(handover, holds, { seed, inputs: HANDOVERS });
  t.is(found && `FUZZ_SEED=${found.seed}: ${errorOf(found)} with ${JSON.stringify(found.counterexample)}`, undefined);
});

/** Reads our contact from the stream and throws when anything else comes, or not all of it, or not in order. */
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
  if (forwarded.join() !== expected.join()) throw new Error(`gave [${forwarded.join()}], not [${expected.join()}]`);
}

/** Kinesis by the simulator's rules: a body begins after the fragment that was asked for, and ends by the script. */
function connectionsBy(stream: PooledStream, handover: Handover, clock: VirtualClock): Connections {
  const { endings, afterTurns, sizes, jumpsMs } = handover;
  let opened = 0;
  const body = (start: Start, nth: number): Body => {
    if (!('fragmentNumber' in start)) throw new Error('asked by time, though no fragment is gone');
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
