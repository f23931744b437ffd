import './built-ins.ts'; // Before ebml, which changes them.
import { schema } from 'ebml';
import { restoreBuiltIns } from './built-ins.ts';

restoreBuiltIns();

/** How the demuxer treats an element: steps into it, takes it whole, or passes over it. */
export type Treatment = 'enter' | 'take' | 'skip';

export interface ElementKind {
  readonly name: string;
  /** Depth below the root as Matroska defines it: 0 EBML and Segment, 1 Cluster, Tags, Tracks…; -1 anywhere (CRC-32, Void). */
  readonly level: number;
  readonly treatment: Treatment;
  /** Whether it belongs into an EBML header, and nowhere else. */
  readonly isOfHeader: boolean;
}

/** A master whose children matter to us. The rest of the masters is skipped in one step. */
const ENTERED = new Set(['EBML', 'Segment', 'Info', 'Tracks', 'Tags', 'Tag', 'Cluster', 'BlockGroup']);
/** Taken whole: the leaves that we read, and the two small masters whose children only mean something together. */
const TAKEN = new Set(['TimecodeScale', 'TrackEntry', 'SimpleTag', 'Timecode', 'SimpleBlock', 'Block']);

/** What an EBML header is made of; their level alone would let them stand in a Segment too. */
const HEADER = new Set([
  'EBMLVersion',
  'EBMLReadVersion',
  'EBMLMaxIDLength',
  'EBMLMaxSizeLength',
  'DocType',
  'DocTypeVersion',
  'DocTypeReadVersion',
]);

/** Every element id of ebml's schema, the marker bits of the id included. */
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

/** Those whose id is one byte, blocks among them: they come thousands of times a second. */
const SHORT_ELEMENTS = Array.from({ length: 256 }, (_, id) => ELEMENTS.get(id));

/** What the element of that id is; undefined when ebml's schema does not have it. */
export function kindOf(id: number): ElementKind | undefined {
  return id < SHORT_ELEMENTS.length ? SHORT_ELEMENTS[id] : ELEMENTS.get(id);
}

/** The id of the element named so in ebml's schema. */
function idOf(name: string): number {
  for (const [id, kind] of ELEMENTS) if (kind.name === name) return id;
  throw new Error(`ebml's schema has no element ${name}`);
}

export const ID = {
  ebml: idOf('EBML'),
  segment: idOf('Segment'),
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

/** The first bytes of every fragment: the id of the EBML header. */
export const EBML_HEADER = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3);

/** The id of an EBML header's first child, in all that Kinesis sends. */
export const EBML_VERSION = Uint8Array.of(0x42, 0x86);
