import type { Socket } from 'node:net';

const START = 'HTTP/1.1 100';
const END = '\r\n\r\n';
/** As much as an answer's headers may have. */
const MOST_HELD_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Removes `100 Continue` from what is read of a socket while `isAwaited` says that an answer is due. A client that did
 * not ask for it may discard it (RFC 9110, 15.2.1), but undici 7.30.2 and 8.13.1 destroy the connection ("bad response",
 * lib/dispatcher/client-h1.js). Replaces the socket's `read`, by which undici reads.
 */
export function discardContinue(socket: Socket, isAwaited: () => boolean): void {
  const read = socket.read.bind(socket);
  let held: Buffer = NOTHING;
  const next = (size?: number): Buffer | null => {
    const chunk: Buffer | null = read(size);
    if (chunk === null) return null;
    const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    held = NOTHING;
    if (!isAwaited()) return bytes;
    const rest = afterContinue(bytes);
    if (!mayBeContinue(rest) || rest.length > MOST_HELD_BYTES) return rest;
    held = rest;
    return NOTHING;
  };
  socket.read = (size?: number): Buffer | null => {
    let chunk = next(size);
    while (chunk?.length === 0) chunk = next(size);
    return chunk;
  };
}

/** What follows the complete `100 Continue` at its beginning. */
function afterContinue(bytes: Buffer): Buffer {
  let rest = bytes;
  while (mayBeContinue(rest)) {
    const end = rest.indexOf(END);
    if (end < 0) break;
    rest = rest.subarray(end + END.length);
  }
  return rest;
}

/** True for less than its beginning too: the rest may be on its way. */
function mayBeContinue(bytes: Buffer): boolean {
  return bytes.length > 0 && START.startsWith(bytes.toString('latin1', 0, START.length));
}
