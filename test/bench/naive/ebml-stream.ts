import type { Writable } from 'node:stream';
import { type EbmlDataTag, type EbmlMasterTag, EbmlStreamDecoder, EbmlTagId, type SimpleBlock } from 'ebml-stream';
import type { Parsed } from './parsed.ts';

/** Parses a body as the README of `ebml-stream` shows: pipe it in and handle the tags. */
export function parseWithEbmlStream(parsed: Parsed): Writable {
  const decoder = new EbmlStreamDecoder({ bufferTagIds: [EbmlTagId.TrackEntry, EbmlTagId.SimpleTag] });
  decoder.on('data', (tag: EbmlMasterTag | SimpleBlock) => {
    if (tag.id === EbmlTagId.SimpleBlock) {
      const { track, payload } = tag as SimpleBlock;
      parsed.block(track, payload);
    } else if (tag.id === EbmlTagId.TrackEntry) {
      parsed.track(Number(child(tag, EbmlTagId.TrackNumber)), text(child(tag, EbmlTagId.Name)));
    } else if (tag.id === EbmlTagId.SimpleTag) {
      parsed.tag(text(child(tag, EbmlTagId.TagName)), text(child(tag, EbmlTagId.TagString)));
    }
  });
  return decoder;
}

function child(tag: EbmlMasterTag | SimpleBlock, id: EbmlTagId): unknown {
  return ((tag as EbmlMasterTag).Children.find((each) => each.id === id) as EbmlDataTag | undefined)?.data;
}

function text(value: unknown): string {
  return String(value ?? '').replace(/[\0 ]+$/, '');
}
