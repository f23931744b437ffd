import { EBML_HEADER } from '../../daemon/matroska/element-ids.ts';
import { OURS } from '../kinesis/stream.ts';
import { SEGMENT_UID } from '../simulators/kinesis-video/mkv.ts';
import { occurrences } from './mutations.ts';
import { foreignCells } from './payload.ts';

const OUR_RUN = Buffer.from(SEGMENT_UID, 'hex');
const ID_BYTES = EBML_HEADER.length;
/**
 * The id of an EBML header's first child. Without it there is no header: audio may contain the four bytes of its id.
 */
const EBML_VERSION = Buffer.from('4286', 'hex');

/**
 * Throws when forwarded audio contains part of a fragment without our ContactId. A fragment extends from one EBML
 * header to the next in the bytes received: where corruption has removed the header between two fragments, they cannot
 * be distinguished, and count as one that carries both ids.
 */
export function assertOurs(forwarded: Uint8Array, bodies: readonly Buffer[]): void {
  for (const cell of foreignCells(forwarded)) {
    const isOfOurs = bodies.some((body) => fragmentsOf(body).some((one) => mayBeOurs(one) && one.includes(cell)));
    if (!isOfOurs) {
      throw new Error(
        `a fragment without our ContactId was forwarded: ${forwarded.length} bytes with ${cell.toString('latin1')}`,
      );
    }
  }
}

/** It names our contact, or none and has the SegmentUID of our run (daemon/kinesis/README.md). */
function mayBeOurs(one: Buffer): boolean {
  return one.includes(OURS) || (one.includes(OUR_RUN) && !one.includes('ContactId'));
}

/** The bytes, cut before each EBML header: its id, a size in 1 or 8 bytes, and EBMLVersion (fixtures/captures). */
function fragmentsOf(body: Buffer): Buffer[] {
  const starts = occurrences(body, EBML_HEADER).filter((at) =>
    [1, 8].some((size) => isVersionAt(body, at + ID_BYTES + size)),
  );
  return [0, ...starts].map((from, i) => body.subarray(from, starts[i] ?? body.length));
}

function isVersionAt(body: Buffer, at: number): boolean {
  return EBML_VERSION.equals(body.subarray(at, at + EBML_VERSION.length));
}
