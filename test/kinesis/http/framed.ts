import fc from 'fast-check';
import { type BodyFraming, framingOf } from '../../../daemon/kinesis/http/http-body.ts';
import type { HeadReader } from '../../../daemon/kinesis/http/http-head.ts';

/** One chunk of an HTTP/1.1 body, with its size and extension written in any valid way. */
interface Chunk {
  readonly content: Uint8Array;
  readonly digits: number;
  readonly isUpperCase: boolean;
  readonly extension: string;
}

export const chunk: fc.Arbitrary<Chunk> = fc.record({
  content: fc.uint8Array({ minLength: 1, maxLength: 600 }),
  digits: fc.integer({ min: 1, max: 8 }),
  isUpperCase: fc.boolean(),
  extension: fc.constantFrom('', ';', ';a=b', ' ;\ta="0 1"', `;long=${'x'.repeat(300)}`),
});
export const trailer: fc.Arbitrary<string> = fc.constantFrom('', 'expires: never\r\n', 'a: 1\r\nb:\r\n');

/** The bytes of a chunked body. */
export function chunked(chunks: readonly Chunk[], trailer = ''): Buffer {
  const framed = chunks.map(({ content, digits, isUpperCase, extension }) => {
    const size = content.length.toString(16).padStart(digits, '0');
    return Buffer.concat([
      Buffer.from(`${isUpperCase ? size.toUpperCase() : size}${extension}\r\n`),
      content,
      Buffer.from('\r\n'),
    ]);
  });
  return Buffer.concat([...framed, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

/** Content in chunks as a server usually writes them. */
export function plainly(...contents: readonly (Uint8Array | string)[]): Chunk[] {
  return contents.map((content) => ({ content: Buffer.from(content), digits: 1, isUpperCase: false, extension: '' }));
}

const GUARD = 0xa5;

/** Unframes bytes piece by piece. Throws when anything is written outside of its place. */
export function unframed(pieces: Iterable<Uint8Array>, headers: Record<string, string>) {
  const framing: BodyFraming = framingOf(headers);
  const contents: Uint8Array[] = [];
  for (const piece of pieces) {
    const into = new Uint8Array(piece.length + 6).fill(GUARD);
    const end = framing.unframe(Buffer.from(piece), piece.length, into.subarray(3, piece.length + 3), 0);
    if (end > piece.length) throw new Error(`${end} bytes out of ${piece.length}`);
    const around = [...into.subarray(0, 3), ...into.subarray(3 + end)];
    if (around.some((byte) => byte !== GUARD)) throw new Error('wrote outside of its slice');
    contents.push(into.subarray(3, 3 + end));
  }
  return { content: Buffer.concat(contents), framing };
}

/** The head in the pieces, and all bytes after it. */
export function headOf(pieces: Iterable<Uint8Array>, reader: HeadReader) {
  let found: ReturnType<HeadReader['take']>;
  const rest: Uint8Array[] = [];
  for (const piece of pieces) {
    if (found) rest.push(piece);
    else {
      found = reader.take(piece);
      if (found) rest.push(Buffer.from(found.rest));
    }
  }
  return found && { head: found.head, rest: Buffer.concat(rest) };
}
