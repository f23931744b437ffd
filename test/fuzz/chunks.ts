import fc from 'fast-check';

/** Sizes of the chunks that bytes arrive in; the list repeats. */
export type ChunkSizes = readonly number[];

/** Chunks that cut an element's header, and chunks with many elements: a network produces both. */
export const chunkSizes: fc.Arbitrary<ChunkSizes> = fc.array(
  fc.oneof({ weight: 1, arbitrary: fc.integer({ min: 1, max: 16 }) }, fc.integer({ min: 17, max: 5000 })),
  { minLength: 2, maxLength: 8 },
);

/** The bytes in chunks of these sizes; each is a view. */
export function* cut(bytes: Uint8Array, sizes: ChunkSizes): Generator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
