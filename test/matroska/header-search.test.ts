import test from 'ava';
import fc from 'fast-check';
import { EBML_HEADER, EBML_VERSION } from '../../daemon/matroska/element-ids.ts';
import { cutOffHeader, HeaderSearch } from '../../daemon/matroska/header-search.ts';

const SIZES = [[0x9f], [0x40, 0x1f], [0x10, 0, 0, 0x1f]].map((bytes) => Uint8Array.from(bytes));
/** Bytes with many headers, parts of headers, and header ids not followed by the rest of a header. */
const bytes = fc
  .array(
    fc.oneof(
      fc.constant(Buffer.from(EBML_HEADER)),
      fc.constantFrom(...SIZES).map((size) => Buffer.concat([EBML_HEADER, size, EBML_VERSION])),
      fc.integer({ min: 1, max: 3 }).map((length) => Buffer.from(EBML_HEADER.subarray(0, length))),
      fc.uint8Array({ maxLength: 12 }).map((noise) => Buffer.from(noise)),
    ),
    { maxLength: 10 },
  )
  .map((parts) => Buffer.concat(parts));
const place = fc.nat(120);

function naiveNext(all: Buffer, from: number): number {
  for (let at = from; at + 4 <= all.length; at++) if (all.subarray(at, at + 4).equals(EBML_HEADER)) return at;
  return Infinity;
}

/** A header: its id, a size of 1 to 8 bytes, and the id of EBMLVersion. */
function naiveWithin(all: Buffer, from: number, to: number): number {
  const range = all.subarray(from, to);
  for (let at = naiveNext(range, 0); at !== Infinity; at = naiveNext(range, at + 1)) {
    const size = range[at + 4];
    if (size === undefined) continue;
    const child = at + 4 + (Math.clz32(size) - 24 + 1);
    if (range.subarray(child, child + 2).equals(Buffer.from(EBML_VERSION))) return from + at;
  }
  return Infinity;
}

test('the next header is where a naive search finds it', (t) => {
  fc.assert(
    fc.property(bytes, fc.array(place, { maxLength: 8 }), (all, places) => {
      const search = new HeaderSearch();
      for (const from of places.toSorted((a, b) => a - b)) t.is(search.next(all, from), naiveNext(all, from));
    }),
    { numRuns: 1000 },
  );
});

test('a header is within a range if it is there up to the id of EBMLVersion', (t) => {
  fc.assert(
    fc.property(bytes, place, place, (all, a, b) => {
      const [from, to] = [Math.min(a, b, all.length), Math.min(Math.max(a, b), all.length)];
      t.is(new HeaderSearch().within(all, from, to), naiveWithin(all, from, to));
    }),
    { numRuns: 2000 },
  );
});

test('wherever bytes are cut, a header is in the first part, in the second, or begins in what the first part keeps', (t) => {
  fc.assert(
    fc.property(bytes, place, (all, where) => {
      const at = Math.min(where, all.length);
      const head = all.subarray(0, at);
      const search = new HeaderSearch();
      let found = search.next(head, 0);
      if (found === Infinity) {
        const keptFrom = at - cutOffHeader(head, 0);
        t.true(at - keptFrom < EBML_HEADER.length);
        search.restart();
        found = keptFrom + search.next(all.subarray(keptFrom), 0);
      }
      t.is(found, naiveNext(all, 0));
    }),
    { numRuns: 1000 },
  );
});

test('no bytes before the given position are kept', (t) => {
  const beginning = Buffer.from(EBML_HEADER.subarray(0, 3));
  t.deepEqual(
    [0, 1, 2, 3].map((from) => cutOffHeader(beginning, from)),
    [3, 0, 0, 0],
  );
});

test('new bytes are searched from their beginning', (t) => {
  const search = new HeaderSearch();
  t.is(search.next(Buffer.from([0, 0, ...EBML_HEADER]), 0), 2);
  search.restart();
  t.is(search.next(Buffer.from(EBML_HEADER), 0), 0);
});
