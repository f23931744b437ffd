import { OURS } from '../kinesis/stream.ts';

/** Whose call a block belongs to; `nobody`: a fragment without a ContactId. */
export type Owner = 'ours' | 'another' | 'nobody';

/** The ContactId tag of each owner's fragments; '' writes none. */
export const CONTACT_ID: Readonly<Record<Owner, string>> = { ours: OURS, another: 'contact-of-theirs', nobody: '' };

/** Each cell begins with its owner's mark: four letters found nowhere else in a stream. */
const MARKS: Readonly<Record<Owner, string>> = { ours: 'oUrZ', another: 'tHrZ', nobody: 'nOnZ' };
const FOREIGN_MARKS = [MARKS.another, MARKS.nobody];
/** A mark, the block's serial number, and the cell's index in the block. */
const CELL_BYTES = 8;

/** Audio with its owner, block and position in every 8 bytes, so that any fragment of it can be identified. */
export function payload(owner: Owner, serial: number, bytes: number): Uint8Array {
  const cells = Buffer.alloc(Math.ceil(bytes / CELL_BYTES) * CELL_BYTES, `${MARKS[owner]}\0\0\0\0`);
  for (let at = 0; at < cells.length; at += CELL_BYTES) {
    cells.writeUInt16BE(serial, at + MARKS[owner].length);
    cells.writeUInt16BE(at / CELL_BYTES, at + MARKS[owner].length + 2);
  }
  return cells.subarray(0, bytes);
}

/** The cells in the bytes that are not of our contact. */
export function foreignCells(bytes: Uint8Array): Buffer[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const cells: Buffer[] = [];
  for (const mark of FOREIGN_MARKS) {
    for (let at = buffer.indexOf(mark); at >= 0; at = buffer.indexOf(mark, at + 1)) {
      cells.push(buffer.subarray(at, at + CELL_BYTES));
    }
  }
  return cells;
}
