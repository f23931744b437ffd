import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';

const folder = new URL('../fixtures/captures/', import.meta.url);
const CAPTURES = readdirSync(folder)
  .filter((file) => file.endsWith('.mkv'))
  .map((file) => readFileSync(new URL(file, folder)));
/** A capture has up to 2.5 MB; a window keeps inputs fast, and what is special is at the beginning. */
const LONGEST_WINDOW_BYTES = 24_000;

/** A window of a real capture, at its beginning or anywhere. */
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
