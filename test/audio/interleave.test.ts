import test from 'ava';
import fc from 'fast-check';
import { createMono, interleave, MOST_FRAMES } from '../../daemon/audio/interleave.ts';

test('each frame is a sample of the customer and one of the agent, both to the bit, and nothing else is written', (t) => {
  const sample = fc.integer({ min: -32768, max: 32767 });
  const frames = fc.array(fc.tuple(sample, sample), { maxLength: 40 });
  fc.assert(
    fc.property(frames, (said) => {
      const [customer, agent] = [createMono(), createMono()];
      said.forEach(([one, other], i) => {
        new DataView(customer.words.buffer).setInt16(2 * i, one, true);
        new DataView(agent.words.buffer).setInt16(2 * i, other, true);
      });
      const out = new Int32Array(said.length + 1).fill(0x5a5a5a5a);
      interleave(customer.words, agent.words, out.subarray(0, said.length));
      const view = new DataView(out.buffer);
      said.forEach(([one, other], i) => {
        t.is(view.getInt16(4 * i, true), one);
        t.is(view.getInt16(4 * i + 2, true), other);
      });
      t.is(out.at(-1), 0x5a5a5a5a);
    }),
  );
});

test('there is room for the longest piece', (t) => {
  t.is(createMono().bytes.length, MOST_FRAMES * 2);
});
