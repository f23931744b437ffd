import { Demuxer } from '../../../daemon/matroska/demuxer.ts';

/** A demuxer event, recorded for replay. */
export type Finding =
  | { readonly kind: 'fragment' }
  | { readonly kind: 'track'; readonly number: number; readonly name: string }
  | { readonly kind: 'tag'; readonly name: string; readonly value: string }
  | { readonly kind: 'block'; readonly track: number; readonly timeMs: number; readonly payload: Buffer }
  | { readonly kind: 'segmentUid'; readonly uid: string }
  | { readonly kind: 'cluster' }
  | { readonly kind: 'clusterEnd' };

/** The demuxer's events of a body, per chunk. */
export function findingsIn(body: readonly Buffer[]): Finding[][] {
  let found: Finding[] = [];
  const demuxer = new Demuxer({
    fragment: () => found.push({ kind: 'fragment' }),
    segmentUid: (uid) => found.push({ kind: 'segmentUid', uid }),
    track: ({ number, name }) => found.push({ kind: 'track', number, name }),
    tagName: (bytes, from, to) => bytes.toString('utf8', from, to),
    tag: (name, value) => found.push({ kind: 'tag', name, value }),
    block: (track, timeMs, bytes) => {
      const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      found.push({ kind: 'block', track, timeMs, payload });
    },
    cluster: () => found.push({ kind: 'cluster' }),
    skipped: () => {},
    skippedUnseen: () => {},
    passedOver: () => {},
    clusterEnd: () => found.push({ kind: 'clusterEnd' }),
    corrupt: (reason) => {
      throw new Error(`the demuxer considers the feed corrupt: ${reason}`);
    },
  });
  return body.map((chunk) => {
    found = [];
    demuxer.push(chunk);
    return found;
  });
}
