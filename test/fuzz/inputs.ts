import fc from 'fast-check';
import { call } from './calls.ts';
import { captured } from './captures.ts';
import { type ChunkSizes, chunkSizes } from './chunks.ts';
import { elementSequence } from './elements.ts';
import { mutated, spliced } from './mutations.ts';

/** What one connection sends, and how the network cuts it. */
export interface Input {
  readonly bytes: Buffer;
  readonly sizes: ChunkSizes;
}

const rawBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** Bytes of every kind, from a valid call to noise. */
const hostileBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 5, arbitrary: mutated(call) },
  { weight: 2, arbitrary: mutated(spliced(call)) },
  { weight: 2, arbitrary: elementSequence },
  { weight: 2, arbitrary: mutated(captured) },
  { weight: 1, arbitrary: rawBytes },
  {
    weight: 1,
    arbitrary: fc.tuple(mutated(call), elementSequence, mutated(call)).map((parts) => Buffer.concat(parts)),
  },
);

export const input: fc.Arbitrary<Input> = fc.record({ bytes: hostileBytes, sizes: chunkSizes });
