import { readFileSync } from 'node:fs';
import test from 'ava';
import { ContactFilter } from '../../daemon/kinesis/filter/contact-filter.ts';
import { Demuxer } from '../../daemon/matroska/demuxer.ts';

const shapes = new URL('../fixtures/captures/connect-shapes/', import.meta.url);
const contact = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** How many blocks of each published stream are forwarded to contact n. */
const SHAPES: readonly (readonly [file: string, contact: number, forwarded: number])[] = [
  ['connect_real_shape', 1, 4],
  ['false_ebml_magic_in_pcm', 1, 3],
  ['gap', 1, 3],
  ['known_size_cluster', 1, 3],
  ['multi_segment', 1, 8],
  ['short_block_mid_track', 1, 6],
  ['stream_reuse', 2, 4],
  ['stream_reuse', 3, 4],
  ['stream_reuse', 1, 0],
  ['tail_last_fragment', 1, 3],
  ['topology_basic', 1, 3],
  ['track_order_swapped', 2, 3],
  ['two_tracks', 1, 3],
];

for (const [file, n, forwarded] of SHAPES) {
  test(`${file}: ${forwarded} blocks are contact ${n}'s, in chunks of any size`, (t) => {
    const bytes = readFileSync(new URL(`${file}.mkv`, shapes));
    for (const size of [1, 7, 64, 1000, bytes.length]) {
      const start = { fragmentNumber: '0' };
      const filter = new ContactFilter({ contactId: contact(n), streamArn: 'arn', start }, () => {});
      const demuxer = new Demuxer(filter);
      let blocks = 0;
      for (let at = 0; at < bytes.length; at += size) {
        demuxer.push(bytes.subarray(at, at + size));
        blocks += filter.take().length;
      }
      t.is(blocks, forwarded, `chunks of ${size}`);
    }
  });
}

for (const [file, forwarded, atEnd] of [
  // No SegmentUID: nothing says whose the fragment without tags is.
  ['tagless_single', 2, 0],
  ['tagless_tail', 4, 0],
  ['partial_tags', 1, 0],
  ['multi_cluster', 2, 0],
] as const) {
  test(`${file}: without the service's tags, ${forwarded} blocks are forwarded and ${atEnd} more at the end`, (t) => {
    const bytes = readFileSync(new URL(`${file}.mkv`, shapes));
    const filter = new ContactFilter(
      { contactId: contact(1), streamArn: 'arn', start: { fragmentNumber: '0' } },
      () => {},
    );
    new Demuxer(filter).push(bytes);
    t.is(filter.take().length, forwarded);
    filter.connectionEnded();
    filter.finish();
    t.is(filter.take().length, atEnd);
  });
}
