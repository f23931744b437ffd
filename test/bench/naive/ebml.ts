import type { Writable } from 'node:stream';
import { Decoder } from 'ebml';
import type { Parsed } from './parsed.ts';

interface EbmlElement {
  readonly name: string;
  readonly data: Buffer;
  readonly track: number;
  readonly payload: Buffer;
}

/** Parses a body as the README of `ebml` tells: pipe it in, and take the events as they come out. */
export function parseWithEbml(parsed: Parsed): Writable {
  const decoder = new Decoder();
  let name = '';
  let value = '';
  let number = 0;
  decoder.on('data', ([event, element]) => {
    const { name: kind, data, track, payload } = element as unknown as EbmlElement;
    if (kind === 'SimpleBlock' && event === 'tag') parsed.block(track, payload);
    else if (kind === 'TrackNumber') number = data.readUIntBE(0, data.length);
    else if (kind === 'Name' || kind === 'TagName') name = text(data);
    else if (kind === 'TagString') value = text(data);
    else if (kind === 'TrackEntry' && event === 'end') parsed.track(number, name);
    else if (kind === 'SimpleTag' && event === 'end') parsed.tag(name, value);
  });
  return decoder;
}

function text(data: Buffer): string {
  return data.toString().replace(/[\0 ]+$/, '');
}
