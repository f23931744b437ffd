import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { block, fragment, longElement, type TestFragment } from '../kinesis/stream.ts';
import { decodedByEbml, demuxed } from './oracle.ts';

const captures = new URL('../fixtures/captures/', import.meta.url);
const capture = (file: string) => readFileSync(new URL(file, captures));
const files = readdirSync(captures).filter((file) => file.endsWith('.mkv'));

/** Every size up to the longest element header, then sizes that cut blocks and fragments in all ways. */
const CHUNK_SIZES = [...Array.from({ length: 64 }, (_, i) => i + 1), 127, 509, 1024, 4093, 16_384, 65_521, 262_144];

for (const file of files) {
  test(`${file}: in one chunk, the demuxer finds what ebml finds`, (t) => {
    const bytes = capture(file);
    const findings = demuxed(bytes, [bytes.length]);
    t.deepEqual(findings, decodedByEbml(bytes));
    t.true(findings.length > 3);
  });

  test(`${file}: in chunks of any size, it finds the same`, (t) => {
    const bytes = capture(file);
    const whole = demuxed(bytes, [bytes.length]);
    for (const size of CHUNK_SIZES) t.deepEqual(demuxed(bytes, [size]), whole, `chunks of ${size}`);
  });
}

const UNKNOWN = Buffer.from('5faa84deadbeef', 'hex');

for (const size of ['known', 'unknown', 'unknown-short'] as const) {
  test(`unknown elements in a fragment with a cluster of ${size} size are skipped, in chunks of any size`, (t) => {
    const plain = { size, blocks: [block(1), block(2, 64), block(3, 128)], tagAt: 'both' } as const;
    const strange = { ...plain, beforeCluster: UNKNOWN, betweenBlocks: UNKNOWN };
    const bytes = (one: TestFragment) =>
      Buffer.concat([fragment(one), one.beforeCluster ?? Buffer.alloc(0), fragment({ ...one, number: 2 })]);
    const expected = demuxed(bytes({ ...plain, number: 1 }), [100_000]);
    for (const chunk of [1, 2, 3, 7, 1000, 100_000]) {
      t.deepEqual(demuxed(bytes({ ...strange, number: 1 }), [chunk]), expected, `chunks of ${chunk}`);
    }
  });
}

for (const id of ['5faa', 'ec']) {
  for (const size of ['known', 'unknown'] as const) {
    test(`elements (${id}) of any length are skipped, with a cluster of ${size} size, in chunks of any size`, (t) => {
      const plain = { number: 1, size, blocks: [block(1), block(2, 64)], tagAt: 'both' } as const;
      const long = longElement(id, 300_000);
      const strange = fragment({ ...plain, beforeCluster: long, betweenBlocks: longElement(id, 262_145) });
      const next = fragment({ number: 2 });
      const expected = demuxed(Buffer.concat([fragment(plain), next]), [100_000]);
      for (const chunk of [1, 15, 1000, 16_384, 1_000_000]) {
        t.deepEqual(demuxed(Buffer.concat([strange, long, next]), [chunk]), expected, `chunks of ${chunk}`);
      }
    });
  }
}

test('Void and CRC-32 between two fragments are skipped, even after a Segment of known size', (t) => {
  const segment = (bytes: Buffer) => {
    const at = bytes.indexOf(Buffer.from('18538067', 'hex')) + 4;
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE((1n << 56n) | BigInt(bytes.length - at - 8));
    return Buffer.concat([bytes.subarray(0, at), size, bytes.subarray(at + 8)]);
  };
  const [one, two] = [1, 2].map((number) => segment(fragment({ number, size: 'known' }))) as [Buffer, Buffer];
  const plain = Buffer.concat([one, two]);
  const expected = demuxed(plain, [plain.length]);
  t.false(expected.some((line) => line.startsWith('corrupt')));
  for (const between of ['ec83000000', 'bf8400000000']) {
    t.deepEqual(demuxed(Buffer.concat([one, Buffer.from(between, 'hex'), two]), [1000]), expected, between);
  }
});

test('an unknown element that contains the next fragment is corrupt, however long it says it is', (t) => {
  const next = fragment({ number: 2 });
  const found = demuxed(next, [next.length]);
  for (const size of [0x10ffffff, 0x10000400]) {
    const header = Buffer.alloc(6);
    header.writeUInt16BE(0x5faa);
    header.writeUInt32BE(size, 2);
    const bytes = Buffer.concat([fragment({ number: 1 }), header, next, Buffer.alloc(2000)]);
    const broken = demuxed(bytes, [100_000]);
    t.deepEqual(
      broken.slice(-found.length - 1).filter((line) => !line.startsWith('corrupt')),
      found,
    );
    t.true(broken.some((line) => line.startsWith('corrupt')));
    for (const chunk of [1, 13, 14, 15, 500]) t.deepEqual(demuxed(bytes, [chunk]), broken, `chunks of ${chunk}`);
  }
});

test('a Segment without its EBML header begins a fragment', (t) => {
  const bytes = fragment({ number: 2 });
  const segmentAt = bytes.indexOf(Buffer.from('18538067', 'hex'));
  const found = demuxed(Buffer.concat([fragment({ number: 1 }), bytes.subarray(segmentAt)]), [100_000]);
  t.is(found.filter((line) => line === 'fragment').length, 2);
});
