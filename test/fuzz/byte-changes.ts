import { ContactFilter } from '../../daemon/kinesis/filter/contact-filter.ts';
import { Demuxer } from '../../daemon/matroska/demuxer.ts';
import {
  AGENT_TRACK,
  CONTACT,
  CUSTOMER_TRACK,
  fragment,
  type TestBlock,
  type TestFragment,
} from '../kinesis/stream.ts';
import { FIRST_NUMBER } from './calls.ts';
import { CONTACT_ID, foreignCells, type Owner, payload } from './payload.ts';

/** Streams in the shape of real ones: `ContactId` before and after the cluster, and the same run after a transfer. */
const SHAPES: Readonly<Record<string, { readonly owners: readonly Owner[]; readonly rest: Partial<TestFragment> }>> = {
  'a transfer, unknown size': { owners: ['ours', 'another', 'another'], rest: { size: 'unknown' } },
  'a transfer, known size': { owners: ['ours', 'another', 'another'], rest: { size: 'known' } },
  'a reused stream': { owners: ['another', 'ours', 'another'], rest: { size: 'unknown' } },
  'the next contact last': { owners: ['ours', 'ours', 'another'], rest: { size: 'unknown' } },
  'ContactId only before the cluster': { owners: ['ours', 'another'], rest: { size: 'unknown', tagAt: 'before' } },
  'ContactId only after the cluster': { owners: ['ours', 'another'], rest: { size: 'known', tagAt: 'after' } },
};
export const SHAPE_NAMES: readonly string[] = Object.keys(SHAPES);
const BLOCK_BYTES = 64;
/** Bits that turn ids and sizes into others, and values with a meaning of their own. */
const CHANGES: readonly ((byte: number) => number)[] = [
  ...Array.from({ length: 8 }, (_, bit) => (byte: number) => byte ^ (1 << bit)),
  ...[0x00, 0x80, 0xff, 0xec, 0xa3].map((value) => () => value),
];
/** Ranges that are removed, from every position. */
const REMOVED_BYTES = [1, 2, 3, 4, 7, 8, 12, 16, 24, 40, 64, 100, 160];

export function streamOf(shape: string): Buffer {
  const { owners, rest } = SHAPES[shape] as (typeof SHAPES)[string];
  return Buffer.concat(
    owners.map((owner, nth) => {
      const blocks = [0, 1, 2].map((i): TestBlock => {
        const track = i % 2 === 0 ? CUSTOMER_TRACK : AGENT_TRACK;
        return { track, offsetMs: 64 * i, pcm: payload(owner, nth * 10 + i, BLOCK_BYTES) };
      });
      const number = String(FIRST_NUMBER + BigInt(nth + 1));
      return fragment({ number, contactId: CONTACT_ID[owner], tagAt: 'both', timecodeMs: nth * 200, blocks, ...rest });
    }),
  );
}

/** The foreign audio that is forwarded from the bytes, whatever ends the call. */
function leaked(bytes: Buffer): string | undefined {
  const filter = new ContactFilter(CONTACT, () => {});
  new Demuxer(filter).push(bytes);
  filter.connectionEnded();
  filter.finish();
  for (const { pcm } of filter.take()) {
    const [cell] = foreignCells(pcm);
    if (cell) return cell.toString('latin1');
  }
  return undefined;
}

/** How many changes and removals there are for each position of a stream. */
export const CHANGES_PER_POSITION = CHANGES.length + REMOVED_BYTES.length;

/**
 * Tries a part of all single-byte changes and range removals of a stream: those at `position % of === part`. Returns the
 * number tried and the first leak.
 */
export function tryChanges(shape: string, part: number, of: number): { tried: number; leak: string | undefined } {
  const original = streamOf(shape);
  let tried = 0;
  for (let at = part; at < original.length; at += of) {
    for (const change of CHANGES) {
      const bytes = Buffer.from(original);
      bytes[at] = change(bytes[at] as number);
      tried++;
      const cell = leaked(bytes);
      if (cell) return { tried, leak: `${shape}: byte ${at} set to ${bytes[at]}: ${cell} was forwarded` };
    }
    for (const length of REMOVED_BYTES) {
      tried++;
      const cell = leaked(Buffer.concat([original.subarray(0, at), original.subarray(at + length)]));
      if (cell) return { tried, leak: `${shape}: ${length} bytes removed at ${at}: ${cell} was forwarded` };
    }
  }
  return { tried, leak: undefined };
}
