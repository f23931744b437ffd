import fc from 'fast-check';
import { EBML_HEADER } from '../../daemon/matroska/element-ids.ts';

/** A corrupt id or size near these changes the meaning of everything that follows. */
const IDS = ['1a45dfa3', '18538067', '1f43b675', '1654ae6b', '1254c367', '7373', '67c8', '45a3', '4487', 'e7', 'a3'];
/** Tags whose values the reader uses. */
const TAGS = ['ContactId', 'FRAGMENT_NUMBER', 'CONTINUATION_TOKEN', 'PRODUCER_TIMESTAMP'];
const LANDMARKS = [...IDS.map((hex) => Buffer.from(hex, 'hex')), ...TAGS.map((name) => Buffer.from(name))];
/** Between a tag's name and its value, the service writes the id of TagString and a size of 4 bytes. */
const TO_VALUE_BYTES = 6;
/** The digits of a fragment number; shorter values, such as times, are hit at their beginning. */
const LONGEST_VALUE_BYTES = 47;
/** Turn a number into another one, or into none. */
const CHARACTERS = [...'0999.-ax \0'].map((character) => character.charCodeAt(0));
/** SimpleBlock with its size in 8 bytes, as Connect's producer writes it. */
const BLOCK = Buffer.from('a301', 'hex');
const SIZE_BYTES = 8;
/** Digits, limits of ranges and ids of small elements: bytes that mean something in the wrong place. */
const BYTES_OF_INTEREST = [0x00, 0x01, 0x10, 0x40, 0x7f, 0x80, 0xff, 0xa0, 0xa1, 0xa3, 0xec, 0x39, 0x61];

interface Place {
  /** Counts the landmark's occurrences, or bytes without a landmark. */
  readonly nth: number;
  readonly landmark: Buffer | undefined;
  readonly after: number;
}

type Mutation =
  | { readonly kind: 'set' | 'flip'; readonly at: Place; readonly byte: number }
  | { readonly kind: 'remove' | 'truncate'; readonly at: Place; readonly bytes: number }
  | { readonly kind: 'duplicate'; readonly at: Place; readonly bytes: number; readonly to: Place }
  | { readonly kind: 'insert'; readonly at: Place; readonly what: Uint8Array }
  | { readonly kind: 'stretch'; readonly nth: number; readonly by: number };

const place: fc.Arbitrary<Place> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ nth: fc.nat(), landmark: fc.constant(undefined), after: fc.constant(0) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      nth: fc.nat({ max: 60 }),
      landmark: fc.constantFrom(...LANDMARKS),
      after: fc.oneof(fc.integer({ min: -4, max: 14 }), fc.integer({ min: 0, max: 60 })),
    }),
  },
);
/** Ranges of a few bytes, and of several elements. */
const rangeBytes = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 17, max: 6000 }));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('flip' as const), at: place, byte: fc.integer({ min: 1, max: 255 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.constantFrom(...BYTES_OF_INTEREST) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: place, bytes: rangeBytes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: place, bytes: rangeBytes }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('duplicate' as const), at: place, bytes: rangeBytes, to: place }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      at: place,
      what: fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.constantFrom(EBML_HEADER, ...LANDMARKS)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      at: fc.record({
        nth: fc.nat({ max: 10 }),
        landmark: fc.constantFrom(...TAGS.map((name) => Buffer.from(name))),
        after: fc.oneof(
          fc.constant(TO_VALUE_BYTES),
          fc.integer({ min: TO_VALUE_BYTES, max: LONGEST_VALUE_BYTES + TO_VALUE_BYTES }),
        ),
      }),
      byte: fc.constantFrom(...CHARACTERS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('stretch' as const),
      nth: fc.nat({ max: 60 }),
      by: fc.integer({ min: 1, max: 9000 }),
    }),
  },
);

/** The bytes with up to five mutations. */
export function mutated(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(bytes, fc.array(mutation, { maxLength: 5 }))
    .map(([original, mutations]) => mutations.reduce(apply, original));
}

/** The beginning of one input and the end of another. */
export function spliced(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(bytes, place, bytes, place)
    .map(([first, to, second, from]) =>
      Buffer.concat([first.subarray(0, find(first, to)), second.subarray(find(second, from))]),
    );
}

function apply(bytes: Buffer, mutation: Mutation): Buffer {
  if (mutation.kind === 'stretch') return stretched(bytes, mutation.nth, mutation.by);
  const at = find(bytes, mutation.at);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (mutation.kind) {
    case 'flip':
      return Buffer.concat([before, after.subarray(0, 1).map((byte) => byte ^ mutation.byte), after.subarray(1)]);
    case 'set':
      return Buffer.concat([before, Buffer.of(mutation.byte), after.subarray(1)]);
    case 'remove':
      return Buffer.concat([before, after.subarray(mutation.bytes)]);
    case 'truncate':
      return before;
    case 'insert':
      return Buffer.concat([before, mutation.what, after]);
    case 'duplicate': {
      const to = find(bytes, mutation.to);
      return Buffer.concat([bytes.subarray(0, to), after.subarray(0, mutation.bytes), bytes.subarray(to)]);
    }
  }
}

/** Increases the nth block's size, so that it extends into what follows, perhaps another fragment. */
function stretched(bytes: Buffer, nth: number, by: number): Buffer {
  const blocks = occurrences(bytes, BLOCK);
  const at = (blocks[nth % Math.max(1, blocks.length)] ?? bytes.length) + 1;
  if (at + SIZE_BYTES > bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  copy.writeBigUInt64BE(BigInt.asUintN(64, bytes.readBigUInt64BE(at) + BigInt(by)), at);
  return copy;
}

/** The place in these bytes: near the end of the nth landmark, or the nth byte; both counts wrap around. */
function find(bytes: Buffer, { nth, landmark, after }: Place): number {
  if (!landmark) return nth % (bytes.length + 1);
  const found = occurrences(bytes, landmark);
  const start = found[nth % Math.max(1, found.length)] ?? nth;
  return Math.max(0, Math.min(bytes.length, start + landmark.length + after));
}

/** Positions of the landmark in the bytes. */
export function occurrences(bytes: Buffer, landmark: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(landmark); at >= 0; at = bytes.indexOf(landmark, at + 1)) found.push(at);
  return found;
}
