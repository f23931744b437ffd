import test from 'ava';
import fc from 'fast-check';
import { ReplayBuffer } from '../../daemon/deepgram/replay-buffer.ts';

const LEAST_BYTES = 400;
const frames = fc.integer({ min: 1, max: 150 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ write: frames }) },
  fc.record({ copy: frames }),
  { weight: 3, arbitrary: fc.record({ take: frames }) },
  fc.record({ forget: fc.integer({ min: 0, max: 1500 }) }),
  fc.record({ rewind: fc.integer({ min: 0, max: 1500 }) }),
);

/** The call's byte at a position, told from those around it. */
const byteAt = (position: number) => (position * 7 + (position >> 8)) & 0xff;

test('what is sent is the call from where it stands, whatever is added, taken, forgotten and sent again', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99 }), fc.array(step, { maxLength: 60 }), (startFrame, steps) => {
      const start = startFrame * 4;
      const replayBuffer = new ReplayBuffer(start, LEAST_BYTES);
      let [from, sent, end] = [start, start, start];
      for (const one of steps) {
        if ('write' in one) {
          const room = replayBuffer.room(one.write);
          const bytes = Buffer.from(room.buffer, room.byteOffset, room.byteLength);
          t.true(bytes.length > 0 && bytes.length <= one.write * 4);
          for (let i = 0; i < bytes.length; i++) bytes[i] = byteAt(end + i);
          replayBuffer.add(bytes, end);
          end += bytes.length;
        } else if ('copy' in one) {
          const bytes = Buffer.from(Array.from({ length: one.copy * 4 }, (_, i) => byteAt(end + i)));
          replayBuffer.add(bytes, end);
          end += bytes.length;
        } else if ('take' in one) {
          const parcel = replayBuffer.take(one.take * 4);
          t.is(parcel === undefined, sent === end);
          const { pcm } = parcel ?? { pcm: Buffer.alloc(0) };
          t.true(pcm.length <= one.take * 4);
          t.true(pcm.every((byte, i) => byte === byteAt(sent + i)));
          sent += pcm.length;
        } else if ('forget' in one) {
          replayBuffer.forget(one.forget * 4);
          from = Math.max(from, Math.min(one.forget * 4, sent));
        } else {
          t.is(replayBuffer.rewind(one.rewind * 4), Math.max(from, Math.min(one.rewind * 4, sent)));
          sent = replayBuffer.sent;
        }
        t.deepEqual([replayBuffer.sent, replayBuffer.end, replayBuffer.heldBytes], [sent, end, end - from]);
      }
    }),
    { numRuns: 300 },
  );
});

test('the age of what is sent is that of its oldest audio, silence has none, and what is sent again has none any more', (t) => {
  const replayBuffer = new ReplayBuffer(0, LEAST_BYTES);
  replayBuffer.add(Buffer.alloc(40), undefined);
  replayBuffer.add(Buffer.alloc(40), 7);
  replayBuffer.add(Buffer.alloc(40), 9);
  t.is(replayBuffer.take(40)?.arrivedAtMs, undefined);
  t.is(replayBuffer.take(60)?.arrivedAtMs, 7);
  t.is(replayBuffer.take(60)?.arrivedAtMs, 9);
  replayBuffer.rewind(0);
  t.is(replayBuffer.take(400)?.arrivedAtMs, undefined);
});
