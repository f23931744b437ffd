import type { Writable } from 'node:stream';
import { Decoder } from 'ebml';
import type { Parsed } from './parsed.ts';

interface EbmlElement {
  readonly data: Buffer;
  readonly track: number;
  readonly payload: Buffer;
}

/** Handlers by element name. */
type Handlers = Readonly<Record<string, (element: EbmlElement) => void>>;

/** Parses a body as the README of `ebml` shows: pipe it in and handle the events. */
export function parseWithEbml(parsed: Parsed): Writable {
  const decoder = new Decoder();
  let name = '';
  let value = '';
  let number = 0;
  const tags: Handlers = {
    SimpleBlock: ({ track, payload }) => parsed.block(track, payload),
    TrackNumber: ({ data }) => {
      number = data.readUIntBE(0, data.length);
    },
    Name: ({ data }) => {
      name = text(data);
    },
    TagName: ({ data }) => {
      name = text(data);
    },
    TagString: ({ data }) => {
      value = text(data);
    },
  };
  const ends: Handlers = {
    TrackEntry: () => parsed.track(number, name),
    SimpleTag: () => parsed.tag(name, value),
  };
  decoder.on('data', ([event, element]) => {
    (event === 'end' ? ends : tags)[element.name]?.(element as unknown as EbmlElement);
  });
  return decoder;
}

function text(data: Buffer): string {
  return data.toString().replace(/[\0 ]+$/, '');
}
