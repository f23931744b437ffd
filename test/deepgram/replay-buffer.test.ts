import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { ReplayBuffer } from '../../daemon/deepgram/replay-buffer.ts';

const BYTES_PER_FRAME = 4;
const LEAST_BYTES = 400;
const frames = fc.integer({ min: 1, max: 150 });
const position = fc.integer({ min: 0, max: 1500 }).map((frame) => frame * BYTES_PER_FRAME);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ name: fc.constant('write' as const), frames }) },
  { weight: 3, arbitrary: fc.record({ name: fc.constant('take' as const), frames }) },
  fc.record({ name: fc.constant('forget' as const), position }),
  fc.record({ name: fc.constant('rewind' as const), position }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

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
    else if (one.name === 'forget') this.#forget(one.position);
    else this.#rewind(one.position);
    const { sent, end, heldFrom, heldBytes } = this.#buffer;
    this.#t.deepEqual([sent, end, heldFrom, heldBytes], [this.#sent, this.#end, this.#from, this.#end - this.#from]);
  }

  #write(wanted: number): void {
    const room = this.#buffer.reserve(wanted);
    this.#t.true(room.length > 0 && room.length <= wanted);
    const pcm = Buffer.from(room.buffer, room.byteOffset, room.byteLength);
    for (let i = 0; i < pcm.length; i++) pcm[i] = byteAt(this.#end + i);
    this.#buffer.commit({ pcm, arrivedAtMs: this.#end });
    this.#end += pcm.length;
  }

  #take(longestBytes: number): void {
    const taken = this.#buffer.take(longestBytes);
    this.#t.is(taken === undefined, this.#sent === this.#end);
    const pcm = taken ?? new Uint8Array();
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

test('whatever is written, taken, forgotten and rewound, the buffer returns the call in order', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99 }), fc.array(step, { maxLength: 60 }), (startFrame, steps) => {
      const buffer = new CheckedBuffer(t, startFrame * BYTES_PER_FRAME);
      for (const one of steps) buffer.do(one);
    }),
    { numRuns: 300 },
  );
});

test('a run that was not written to the reserved room is rejected', (t) => {
  const buffer = new ReplayBuffer(0, LEAST_BYTES);
  t.throws(() => buffer.commit({ pcm: Buffer.alloc(40), arrivedAtMs: 1 }), { instanceOf: RangeError });
});
