import test from 'ava';
import fc from 'fast-check';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import type { Start } from '../../daemon/kinesis/media-source.ts';
import { readContact } from '../../daemon/kinesis/reader.ts';
import { createLog } from '../../daemon/log/log.ts';
import { type Clock, systemClock } from '../../daemon/runtime/clock.ts';
import { chunkSizes } from '../fuzz/chunks.ts';
import { type Answer, type Body, Connections } from '../fuzz/connections.ts';
import { errorOf, tryOut } from '../fuzz/lanes.ts';
import { calls, PooledStream } from '../fuzz/pooled-stream.ts';
import { SEED_OF_THE_TESTS, seedFrom } from '../fuzz/seed.ts';
import { unobserved } from './unobserved.ts';

const HANDOVERS = 1000;
/** Streams that are read at the same time: a reading mostly waits for its last looks at the end of the stream. */
const LANES = 100;
/** More than all jumps of the clock together, which are none of the stream's silence. Each connection takes as much. */
const SETTINGS = { callEndGraceMs: 900_000, readStallMs: 900_000, rotateAfterMs: 1000 };
/** Jumps of the clock: to where a rotation is due, and to where it waits no longer for the end of a fragment. */
const JUMPS_MS = [0, 1, 5, SETTINGS.rotateAfterMs + 1, 6000];
const log = createLog('silent');

/** How a connection ends: after so many fragments and so many bytes of the next one. */
interface Ending {
  readonly afterFragments: number;
  readonly thenBytes: number;
  readonly ending: 'ends' | 'breaks';
}

const WITH_THE_STREAM: Ending = { afterFragments: Infinity, thenBytes: 0, ending: 'ends' };

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
  const found = await tryOut(handover, holds, { seed, inputs: HANDOVERS, lanes: LANES });
  t.is(found && `FUZZ_SEED=${found.seed}: ${errorOf(found)} with ${JSON.stringify(found.counterexample)}`, undefined);
});

/** Reads our contact from the stream and throws when anything else comes, or not all of it, or not in order. */
async function holds(handover: Handover): Promise<void> {
  const stream = new PooledStream(handover.calls);
  const { contactId, start, expected } = stream;
  const forwarded: string[] = [];
  const clock = new JumpingClock(handover.jumpsMs);
  const script = new Script(stream, handover, clock, () => forwarded.length);
  const { connections } = script;
  const contact = { contactId, streamArn: 'arn:of-the-stream', start };
  const { signal } = new AbortController();
  const first = await connections.getMedia(contact.streamArn, start, signal);
  const forward = (blocks: readonly AudioBlock[]) => {
    for (const { pcm } of blocks) forwarded.push(stream.nameOf(pcm));
    return undefined;
  };
  await readContact(first, contact, connections, { ...unobserved, forward, clock, log, signal, settings: SETTINGS });
  await connections.assertClosed();
  if (forwarded.join() !== expected.join()) throw new Error(`gave [${forwarded.join()}], not [${expected.join()}]`);
}

/** A clock that jumps by the script when it is looked at; after that it stands, but for each connection. */
class JumpingClock implements Clock {
  readonly #jumpsMs: readonly number[];
  #nowMs = 0;
  #looks = 0;
  readonly after = systemClock.after;
  readonly every = systemClock.every;
  readonly sleep = systemClock.sleep;
  readonly timeout = systemClock.timeout;

  constructor(jumpsMs: readonly number[]) {
    this.#jumpsMs = jumpsMs;
  }

  now(): number {
    this.#nowMs += this.#jumpsMs[this.#looks++] ?? 0;
    return this.#nowMs;
  }

  epoch(): number {
    return this.now();
  }

  /** More than CALL_END_GRACE, so that the looks at the end of a stream are as few as can be. */
  connectionTakesTime(): void {
    this.#nowMs += SETTINGS.callEndGraceMs + 1;
  }
}

/** Kinesis by the stand-in's rules: a body begins after the fragment that was asked for, and ends by the script. */
class Script {
  readonly connections: Connections;
  readonly #stream: PooledStream;
  readonly #handover: Handover;
  readonly #clock: JumpingClock;
  readonly #heard: () => number;
  #opened = 0;
  #heardAtLastEnd = 0;
  #heardAtEndBefore = -1;

  /** @param heard how many blocks the reader has forwarded so far */
  constructor(stream: PooledStream, handover: Handover, clock: JumpingClock, heard: () => number) {
    this.#stream = stream;
    this.#handover = handover;
    this.#clock = clock;
    this.#heard = heard;
    this.connections = new Connections(
      (start) => this.#answer(start),
      () => this.#ended(),
    );
  }

  #answer(start: Start): Answer {
    const { afterTurns } = this.#handover;
    return { afterTurns: afterTurns[this.#opened % afterTurns.length] as number, body: () => this.#body(start) };
  }

  #body(start: Start): Body {
    if (!('fragmentNumber' in start)) throw new Error('asked by time, though no fragment is gone');
    this.#clock.connectionTakesTime();
    const { afterFragments, thenBytes, ending } = this.#nextEnding();
    const fragments = this.#stream.after(start.fragmentNumber);
    const whole = fragments.slice(0, afterFragments);
    const part = fragments[afterFragments]?.subarray(0, thenBytes) ?? Buffer.alloc(0);
    return { bytes: Buffer.concat([...whole, part]), sizes: this.#handover.sizes, ending };
  }

  #ended(): void {
    this.#heardAtEndBefore = this.#heardAtLastEnd;
    this.#heardAtLastEnd = this.#heard();
  }

  /**
   * After a connection on which nothing of ours was heard the next one brings the stream whole: two such in a row would
   * rightly end the call.
   */
  #nextEnding(): Ending {
    const ending = this.#handover.endings[this.#opened++];
    const wasHeard = this.#heard() > (this.connections.open > 0 ? this.#heardAtLastEnd : this.#heardAtEndBefore);
    return ending && wasHeard ? ending : WITH_THE_STREAM;
  }
}
