import { createHash } from 'node:crypto';
import { Decoder } from 'ebml';
import { Demuxer, type DemuxerEvents } from '../../daemon/matroska/demuxer.ts';

/** What was found in a body, a line for each thing, blocks by the hash of their payload. */
export type Findings = string[];

const digest = (payload: Uint8Array) => createHash('sha1').update(payload).digest('hex').slice(0, 16);
const trimmed = (text: string) => text.replace(/[\0 ]+$/, '');

/** Events that note what they are told. `clusterEnd` is left out: ebml has no notion of it. */
export function recorder(findings: Findings): DemuxerEvents {
  return {
    fragment: () => findings.push('fragment'),
    track: ({ number, name }) => findings.push(`track ${number} ${name}`),
    tagName: (bytes, from, to) => bytes.toString('utf8', from, to),
    tag: (name, value) => findings.push(`tag ${name}=${value}`),
    block: (track, timeMs, payload) => findings.push(`block ${track} @${timeMs} ${payload.length} ${digest(payload)}`),
    clusterEnd: () => {},
    corrupt: (reason) => findings.push(`corrupt: ${reason}`),
  };
}

/** What our demuxer finds when the bytes come in chunks of the given sizes, the last one over and over. */
export function demuxed(bytes: Uint8Array, chunkSizes: readonly number[]): Findings {
  const findings: Findings = [];
  const demuxer = new Demuxer(recorder(findings));
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = chunkSizes[Math.min(i, chunkSizes.length - 1)] as number;
    demuxer.push(bytes.subarray(at, at + size));
    at += size;
  }
  return findings;
}

/** What ebml's Decoder finds in the same bytes, in the same words. */
export function decodedByEbml(bytes: Uint8Array): Findings {
  const findings: Findings = [];
  const decoder = new Decoder();
  let timecode = 0;
  let track = { number: 0, name: '' };
  let tag = { name: '', value: '' };
  const uint = (data: Buffer) => Number(`0x${data.toString('hex') || '0'}`);
  decoder.on('data', ([event, element]) => {
    const { name, data } = element as unknown as { name: string; data: Buffer };
    if (event === 'start') {
      if (name === 'EBML') findings.push('fragment');
      if (name === 'TrackEntry') track = { number: 0, name: '' };
      if (name === 'SimpleTag') tag = { name: '', value: '' };
    } else if (event === 'end') {
      if (name === 'TrackEntry') findings.push(`track ${track.number} ${track.name}`);
      if (name === 'SimpleTag') findings.push(`tag ${tag.name}=${tag.value}`);
    } else if (name === 'TrackNumber') track.number = uint(data);
    else if (name === 'Name') track.name = trimmed(data.toString());
    else if (name === 'TagName') tag.name = trimmed(data.toString());
    else if (name === 'TagString') tag.value = trimmed(data.toString());
    else if (name === 'Timecode') timecode = uint(data);
    else if (name === 'SimpleBlock') {
      const block = element as unknown as { track: number; value: number; payload: Buffer };
      findings.push(`block ${block.track} @${timecode + block.value} ${block.payload.length} ${digest(block.payload)}`);
    }
  });
  decoder.write(Buffer.from(bytes));
  return findings;
}
