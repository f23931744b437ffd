import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';

const folder = new URL('../fixtures/captures/', import.meta.url);
const CAPTURES = readdirSync(folder)
  .filter((file) => file.endsWith('.mkv'))
  .map((file) => readFileSync(new URL(file, folder)));
/** A whole capture has up to 2.5 MB; a window keeps an input quick, and the beginning has what is special in it. */
const LONGEST_WINDOW_BYTES = 24_000;

/** A stretch of a real capture, from its beginning or from anywhere. */
export const captured: fc.Arbitrary<Buffer> = fc
  .record({
    capture: fc.constantFrom(...CAPTURES),
    from: fc.oneof(fc.constant(0), fc.nat()),
    bytes: fc.integer({ min: 1, max: LONGEST_WINDOW_BYTES }),
  })
  .map(({ capture, from, bytes }) => {
    const start = from % capture.length;
    return capture.subarray(start, start + bytes);
  });
