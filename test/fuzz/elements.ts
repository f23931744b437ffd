import { schema } from 'ebml';
import fc from 'fast-check';

const idBytes = (id: number) => Buffer.from(id.toString(16), 'hex');
const IDS = [...schema.keys()].map(idBytes);
/** Elements that the demuxer reads, and the two that are allowed anywhere. */
const NAMES_OF_INTEREST = new Set(
  'EBML Segment Info TimecodeScale Tracks TrackEntry TrackNumber Name Tags Tag SimpleTag TagName TagString Cluster Timecode SimpleBlock BlockGroup Block Void CRC-32'.split(
    ' ',
  ),
);
const IDS_OF_INTEREST = [...schema].filter(([, { name }]) => NAMES_OF_INTEREST.has(name)).map(([id]) => idBytes(id));

/** An element's size field: its width in bytes, and how its value relates to the content. */
interface Size {
  readonly bytes: number;
  readonly value: 'right' | 'unknown' | 'more' | 'less' | 'huge';
  readonly by: number;
}

interface Element {
  readonly id: Uint8Array;
  readonly size: Size;
  readonly content: readonly (Element | Uint8Array)[];
}

const id: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...IDS_OF_INTEREST) },
  { weight: 2, arbitrary: fc.constantFrom(...IDS) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 4 }) },
);
const size: fc.Arbitrary<Size> = fc.record({
  bytes: fc.constantFrom(1, 2, 4, 8, 3, 5, 6, 7),
  value: fc.oneof(
    { weight: 8, arbitrary: fc.constant('right' as const) },
    { weight: 4, arbitrary: fc.constantFrom('unknown' as const, 'more' as const, 'less' as const, 'huge' as const) },
  ),
  by: fc.integer({ min: 1, max: 300_000 }),
});
const { element } = fc.letrec<{ element: Element; part: Element | Uint8Array }>((tie) => ({
  element: fc.record({ id, size, content: fc.array(tie('part'), { maxLength: 4 }) }),
  part: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
    { weight: 3, arbitrary: tie('element') },
  ),
}));

/**
 * Sequences of EBML elements: valid and invalid ids, sizes in every encoding and unknown, nested, too long, too short.
 */
export const elementSequence: fc.Arbitrary<Buffer> = fc
  .array(element, { minLength: 1, maxLength: 8 })
  .map((elements) => Buffer.concat(elements.map(written)));

function written({ id, size, content }: Element): Buffer {
  const inside = Buffer.concat(content.map((part) => (part instanceof Uint8Array ? part : written(part))));
  return Buffer.concat([id, sizeField(size, inside.length), inside]);
}

function sizeField({ bytes, value: kind, by }: Size, length: number): Buffer {
  const marker = 1n << BigInt(7 * bytes);
  const values = {
    right: BigInt(length),
    unknown: marker - 1n,
    more: BigInt(length + by),
    less: BigInt(Math.max(0, length - by)),
    huge: marker - 1n - BigInt(by),
  };
  const value = BigInt.asUintN(7 * bytes, values[kind]);
  return Buffer.from((marker | value).toString(16).padStart(2 * bytes, '0'), 'hex');
}
