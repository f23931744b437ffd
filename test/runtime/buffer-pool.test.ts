import test from 'ava';
import { borrowBuffer, returnBuffer, withRoom } from '../../daemon/runtime/buffer-pool.ts';

test.serial('the buffer that was released last is the next to be acquired, and has one owner', (t) => {
  const one = borrowBuffer(100);
  const other = borrowBuffer(100);
  t.not(one, other);
  returnBuffer(one);
  returnBuffer(other);
  t.is(borrowBuffer(1), other);
  t.is(borrowBuffer(1), one);
  t.not(borrowBuffer(1), one);
});

test.serial('a buffer has at least the requested size, whatever it is', (t) => {
  for (const bytes of [0, 1, 5000, 32 * 1024, 32 * 1024 + 1, 1_000_000]) {
    t.true(borrowBuffer(bytes).length >= bytes, `${bytes} bytes`);
  }
});

test.serial('neither large buffers nor any number of them are kept', (t) => {
  const large = borrowBuffer(1_000_000);
  returnBuffer(large);
  t.not(borrowBuffer(1_000_000), large);
  const many = Array.from({ length: 1000 }, () => borrowBuffer(1));
  for (const buffer of many) returnBuffer(buffer);
  const again = new Set(Array.from({ length: 1000 }, () => borrowBuffer(1)));
  const kept = many.filter((buffer) => again.has(buffer));
  t.true(kept.length > 0 && kept.length < many.length, `${kept.length} of ${many.length}`);
});

test.serial('data that outgrows its buffer continues in a larger one, and the smaller one is released', (t) => {
  const small = borrowBuffer(100);
  small.write('what came so far');
  t.is(withRoom(small, 16, small.length), small);
  const large = withRoom(small, 16, small.length + 1);
  t.true(large.length > small.length);
  t.is(large.toString('latin1', 0, 16), 'what came so far');
  t.is(borrowBuffer(1), small);
  t.true(withRoom(undefined, 0, 1).length > 0);
});
