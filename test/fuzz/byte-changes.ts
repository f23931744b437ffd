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
/** Every value that a byte can be changed to, by what is added to it. */
const OTHER_VALUES = 255;
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
const CHANGES_PER_POSITION = OTHER_VALUES + REMOVED_BYTES.length;

/** All changes of all streams. */
export const CHANGES: number =
  SHAPE_NAMES.reduce((sum, shape) => sum + streamOf(shape).length, 0) * CHANGES_PER_POSITION;

/** A part of all changes: those whose number modulo `of` is `part`, at the positions `from` up to `to`. */
export interface ChangesToTry {
  readonly shape: string;
  readonly from: number;
  readonly to: number;
  readonly part: number;
  readonly of: number;
}

/** Tries single-byte changes and range removals of a stream. Returns the number tried and the first leak. */
export function tryChanges({ shape, from, to, part, of }: ChangesToTry): { tried: number; leak: string | undefined } {
  const original = streamOf(shape);
  const end = Math.min(to, original.length) * CHANGES_PER_POSITION;
  const begin = from * CHANGES_PER_POSITION;
  let tried = 0;
  for (let nth = begin + ((((part - begin) % of) + of) % of); nth < end; nth += of) {
    const [bytes, what] = changed(original, Math.floor(nth / CHANGES_PER_POSITION), nth % CHANGES_PER_POSITION);
    tried++;
    const cell = leaked(bytes);
    if (cell) return { tried, leak: `${shape}: ${what}: ${cell} was forwarded` };
  }
  return { tried, leak: undefined };
}

/** The bytes with change `nth` of those at a position, and what that is. */
function changed(original: Buffer, at: number, nth: number): [bytes: Buffer, what: string] {
  const removed = REMOVED_BYTES[nth - OTHER_VALUES];
  if (removed !== undefined) {
    const rest = Buffer.concat([original.subarray(0, at), original.subarray(at + removed)]);
    return [rest, `${removed} bytes removed at ${at}`];
  }
  const bytes = Buffer.from(original);
  bytes[at] = (original[at] as number) + 1 + nth;
  return [bytes, `byte ${at} set to ${bytes[at]}`];
}
