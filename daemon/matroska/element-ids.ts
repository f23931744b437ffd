import './built-ins.ts'; // Before ebml, which changes them.
import { schema } from 'ebml';
import { restoreBuiltIns } from './built-ins.ts';

restoreBuiltIns();

/** How the demuxer treats an element: enters it, takes it as a whole, or skips it. */
export type Treatment = 'enter' | 'take' | 'skip';

export interface ElementKind {
  readonly name: string;
  /** Matroska's level: 0 EBML and Segment, 1 Cluster, Tags, Tracks…; -1 anywhere (CRC-32, Void). */
  readonly level: number;
  readonly treatment: Treatment;
  /** Whether it is allowed only in an EBML header. */
  readonly isOfHeader: boolean;
}

/** Masters whose children matter. All others are skipped as a whole. */
const ENTERED = new Set(['EBML', 'Segment', 'Info', 'Tracks', 'Tags', 'Tag', 'Cluster', 'BlockGroup']);
/** Leaves that are read, and two small masters whose children only make sense together. */
const TAKEN = new Set(['TimecodeScale', 'TrackEntry', 'SimpleTag', 'Timecode', 'SimpleBlock', 'Block', 'SegmentUID']);

/** The children of an EBML header; by level alone they would be allowed in a Segment too. */
const HEADER = new Set([
  'EBMLVersion',
  'EBMLReadVersion',
  'EBMLMaxIDLength',
  'EBMLMaxSizeLength',
  'DocType',
  'DocTypeVersion',
  'DocTypeReadVersion',
]);

/** By element id, including its marker bits, as in ebml's schema. */
const ELEMENTS: ReadonlyMap<number, ElementKind> = new Map(
  [...schema].map(([id, { name, level }]) => [
    id,
    {
      name,
      level,
      isOfHeader: HEADER.has(name),
      treatment: ENTERED.has(name) ? 'enter' : TAKEN.has(name) ? 'take' : 'skip',
    },
  ]),
);

/** Elements with an id of one byte, such as blocks, which are looked up thousands of times a second. */
const SHORT_ELEMENTS = Array.from({ length: 256 }, (_, id) => ELEMENTS.get(id));

/** Undefined when ebml's schema does not have the id. */
export function kindOf(id: number): ElementKind | undefined {
  return id < SHORT_ELEMENTS.length ? SHORT_ELEMENTS[id] : ELEMENTS.get(id);
}

function idOf(name: string): number {
  for (const [id, kind] of ELEMENTS) if (kind.name === name) return id;
  throw new Error(`ebml's schema has no element ${name}`);
}

export const ID = {
  ebml: idOf('EBML'),
  segment: idOf('Segment'),
  info: idOf('Info'),
  segmentUid: idOf('SegmentUID'),
  timecodeScale: idOf('TimecodeScale'),
  trackEntry: idOf('TrackEntry'),
  trackNumber: idOf('TrackNumber'),
  trackName: idOf('Name'),
  simpleTag: idOf('SimpleTag'),
  tagName: idOf('TagName'),
  tagString: idOf('TagString'),
  cluster: idOf('Cluster'),
  timecode: idOf('Timecode'),
  simpleBlock: idOf('SimpleBlock'),
  block: idOf('Block'),
} as const;

/** The first bytes of every fragment: the EBML header's id. */
export const EBML_HEADER = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3);

/** The id of the first child of every EBML header that Kinesis sends. */
export const EBML_VERSION = Uint8Array.of(0x42, 0x86);
