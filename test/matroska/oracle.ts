import { hash } from 'node:crypto';
import { Decoder } from 'ebml';
import { Demuxer, type DemuxerEvents } from '../../daemon/matroska/demuxer.ts';

/** What was found in a body, one line each; blocks with the hash of their payload. */
type Findings = string[];

const digest = (payload: Uint8Array) => hash('sha1', payload).slice(0, 16);
const trimmed = (text: string) => text.replace(/[\0 ]+$/, '');

/** Records the events that ebml has too. */
export function recorder(findings: Findings): DemuxerEvents {
  return {
    fragment: () => findings.push('fragment'),
    track: ({ number, name }) => findings.push(`track ${number} ${name}`),
    tagName: (bytes, from, to) => bytes.toString('utf8', from, to),
    tag: (name, value) => findings.push(`tag ${name}=${value}`),
    block: (track, timeMs, payload) => findings.push(`block ${track} @${timeMs} ${payload.length} ${digest(payload)}`),
    segmentUid: () => {},
    cluster: () => {},
    clusterEnd: () => {},
    skipped: () => {},
    skippedUnseen: () => {},
    passedOver: () => {},
    corrupt: (reason) => findings.push(`corrupt: ${reason}`),
  };
}

/** What our demuxer finds in chunks of the given sizes, the last size repeated. */
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

/** An element as ebml's Decoder reports it; the last three only for a SimpleBlock. */
interface DecodedElement {
  readonly name: string;
  readonly data: Buffer;
  readonly track: number;
  readonly value: number;
  readonly payload: Buffer;
}

const uint = (data: Buffer) => Number(`0x${data.toString('hex') || '0'}`);
const text = (data: Buffer) => trimmed(data.toString());

/** Collects what ebml's Decoder finds, in the words of `recorder`. */
class DecodedFindings {
  readonly findings: Findings = [];
  #timecode = 0;
  #track = { number: 0, name: '' };
  #tag = { name: '', value: '' };

  readonly start: Readonly<Record<string, () => void>> = {
    EBML: () => this.findings.push('fragment'),
    TrackEntry: () => {
      this.#track = { number: 0, name: '' };
    },
    SimpleTag: () => {
      this.#tag = { name: '', value: '' };
    },
  };

  readonly end: Readonly<Record<string, () => void>> = {
    TrackEntry: () => this.findings.push(`track ${this.#track.number} ${this.#track.name}`),
    SimpleTag: () => this.findings.push(`tag ${this.#tag.name}=${this.#tag.value}`),
  };

  readonly tag: Readonly<Record<string, (element: DecodedElement) => void>> = {
    TrackNumber: ({ data }) => {
      this.#track.number = uint(data);
    },
    Name: ({ data }) => {
      this.#track.name = text(data);
    },
    TagName: ({ data }) => {
      this.#tag.name = text(data);
    },
    TagString: ({ data }) => {
      this.#tag.value = text(data);
    },
    Timecode: ({ data }) => {
      this.#timecode = uint(data);
    },
    SimpleBlock: ({ track, value, payload }) => {
      this.findings.push(`block ${track} @${this.#timecode + value} ${payload.length} ${digest(payload)}`);
    },
  };
}

/** What ebml's Decoder finds in the bytes, in the same words. */
export function decodedByEbml(bytes: Uint8Array): Findings {
  const decoded = new DecodedFindings();
  const decoder = new Decoder();
  decoder.on('data', ([event, element]) => {
    const one = element as unknown as DecodedElement;
    decoded[event][one.name]?.(one);
  });
  decoder.write(Buffer.from(bytes));
  return decoded.findings;
}
