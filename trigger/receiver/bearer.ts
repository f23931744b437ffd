import { createHash, timingSafeEqual } from 'node:crypto';

/** True if an Authorization header has this bearer token. Compares in constant time. */
export function hasToken(authorization: string | undefined, token: string): boolean {
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  // Digests have the same length, whatever the input.
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
