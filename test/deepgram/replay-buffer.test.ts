import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { ReplayBuffer } from '../../daemon/deepgram/replay-buffer.ts';
import { pcmOf } from '../support/audio-runs.ts';

const BYTES_PER_FRAME = 4;
const LEAST_BYTES = 400;

/** Something that happens to a buffer; `forget` and `rewind` go back so many frames from what was sent, `drain` sends all. */
interface Step {
  readonly name: 'write' | 'take' | 'drain' | 'forget' | 'rewind';
  readonly frames: number;
}

function stepOf(mostFrames: number): fc.Arbitrary<Step> {
  const frames = fc.integer({ min: 1, max: mostFrames });
  return fc.record({ name: fc.constantFrom('write', 'write', 'take', 'drain', 'forget', 'rewind'), frames });
}

/** The call's byte at a position, distinct from its neighbors. */
const byteAt = (at: number) => (at * 7 + (at >> 8)) & 0xff;

/** A replay buffer, checked against the three positions that define its content. */
class CheckedBuffer {
  readonly #t: ExecutionContext;
  readonly #buffer: ReplayBuffer;
  #from: number;
  #sent: number;
  #end: number;

  constructor(t: ExecutionContext, start: number) {
    this.#t = t;
    this.#buffer = new ReplayBuffer(start, LEAST_BYTES);
    this.#from = start;
    this.#sent = start;
    this.#end = start;
  }

  do(one: Step): void {
    if (one.name === 'write') this.#write(one.frames);
    else if (one.name === 'take') this.#take(one.frames * BYTES_PER_FRAME);
    else if (one.name === 'drain') while (this.#sent < this.#end) this.#take(this.#end - this.#sent);
    else if (one.name === 'forget') this.#forget(this.#sent - one.frames * BYTES_PER_FRAME);
    else this.#rewind(this.#sent - one.frames * BYTES_PER_FRAME);
    const { sent, end, heldFrom, heldBytes } = this.#buffer;
    this.#t.deepEqual([sent, end, heldFrom, heldBytes], [this.#sent, this.#end, this.#from, this.#end - this.#from]);
  }

  #write(wanted: number): void {
    const room = this.#buffer.reserve(wanted);
    this.#t.true(room.length > 0 && room.length <= wanted);
    const pcm = pcmOf(room);
    for (let i = 0; i < pcm.length; i++) pcm[i] = byteAt(this.#end + i);
    this.#buffer.commit({ frames: room, arrivedAtMs: this.#end });
    this.#end += pcm.length;
  }

  #take(longestBytes: number): void {
    const taken = this.#buffer.take(longestBytes);
    this.#t.is(taken === undefined, this.#sent === this.#end);
    const pcm = taken ? pcmOf(taken) : Buffer.alloc(0);
    this.#t.true(pcm.length <= longestBytes);
    this.#t.true(pcm.every((byte, i) => byte === byteAt(this.#sent + i)));
    this.#sent += pcm.length;
  }

  #forget(to: number): void {
    this.#buffer.forget(to);
    this.#from = Math.max(this.#from, Math.min(to, this.#sent));
  }

  #rewind(to: number): void {
    this.#sent = Math.max(this.#from, Math.min(to, this.#sent));
    this.#t.is(this.#buffer.rewind(to), this.#sent);
  }
}

for (const [name, mostFrames, numRuns] of [
  ['a few frames', 150, 300],
  ['seconds of audio, in which it shrinks', 8000, 100],
] as const) {
  test(`whatever is written, taken, forgotten and rewound, the buffer returns the call in order: ${name}`, (t) => {
    const steps = fc.array(stepOf(mostFrames), { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), steps, (startFrame, each) => {
        const buffer = new CheckedBuffer(t, startFrame * BYTES_PER_FRAME);
        for (const one of each) buffer.do(one);
      }),
      { numRuns },
    );
  });
}

test('a run that was not written to the reserved room is rejected', (t) => {
  const buffer = new ReplayBuffer(0, LEAST_BYTES);
  t.throws(() => buffer.commit({ frames: new Int32Array(10), arrivedAtMs: 1 }), { instanceOf: RangeError });
});

/** Keeps `heldFrames` of the call in a buffer while `frames` more pass through it, ten at a time. */
function pass(buffer: ReplayBuffer, frames: number, heldFrames: number): void {
  for (let done = 0; done < frames; ) {
    const room = buffer.reserve(10);
    buffer.commit({ frames: room, arrivedAtMs: 1 });
    while (buffer.take(LEAST_BYTES)) {}
    buffer.forget(buffer.end - heldFrames * BYTES_PER_FRAME);
    done += room.length;
  }
}

/** More than a buffer waits before it shrinks: 2 s. */
const A_WHILE = 17_000;

test('a buffer takes the memory that it was given as long as that suffices', (t) => {
  const buffer = new ReplayBuffer(0, LEAST_BYTES);
  pass(buffer, A_WHILE, LEAST_BYTES / BYTES_PER_FRAME - 10);
  t.is(buffer.allocatedBytes, LEAST_BYTES);
});

test('a buffer that expects more takes that memory at once, and keeps it', (t) => {
  const buffer = new ReplayBuffer(0, LEAST_BYTES);
  buffer.expect(5 * LEAST_BYTES);
  buffer.expect(2 * LEAST_BYTES);
  t.is(buffer.allocatedBytes, 5 * LEAST_BYTES);
  pass(buffer, A_WHILE, (5 * LEAST_BYTES) / BYTES_PER_FRAME - 10);
  pass(buffer, 2 * A_WHILE, 10);
  t.is(buffer.allocatedBytes, 5 * LEAST_BYTES);
});

test('a buffer that has grown takes a quarter more than it needs, and shrinks when it needs less', (t) => {
  const buffer = new ReplayBuffer(0, LEAST_BYTES);
  pass(buffer, 2000, 1000);
  t.true(buffer.allocatedBytes >= 1010 * BYTES_PER_FRAME);
  t.true(buffer.allocatedBytes <= 1010 * BYTES_PER_FRAME * 1.25);
  pass(buffer, 2 * A_WHILE, 510);
  t.is(buffer.allocatedBytes, 520 * BYTES_PER_FRAME * 1.25);
  pass(buffer, 2 * A_WHILE, LEAST_BYTES / BYTES_PER_FRAME - 10);
  t.is(buffer.allocatedBytes, LEAST_BYTES);
});

test('a short need for more does not make a buffer shrink and grow all the time', (t) => {
  const buffer = new ReplayBuffer(0, LEAST_BYTES);
  const sizes = new Set<number>();
  for (let second = 0; second < 8; second++) {
    pass(buffer, 7000, 50);
    pass(buffer, 1000, 1000);
    if (second > 2) sizes.add(buffer.allocatedBytes);
  }
  t.is(sizes.size, 1);
});
