/** How the demuxer treats an element: enters it, takes it as a whole, or skips it. */
type Treatment = 'enter' | 'take' | 'skip';

export interface ElementKind {
  readonly name: string;
  /** Matroska's level: 0 EBML and Segment, 1 Cluster, Tags, Tracks…; -1 anywhere (CRC-32, Void). */
  readonly level: number;
  readonly treatment: Treatment;
  /** Whether it is allowed only in an EBML header. */
  readonly isOfHeader: boolean;
}

/** The elements that are read: ids of RFC 8794 and RFC 9559, including their marker bits, under Matroska's names. */
export const ID = {
  EBML: 0x1a45dfa3,
  Segment: 0x18538067,
  Info: 0x1549a966,
  SegmentUID: 0x73a4,
  TimecodeScale: 0x2ad7b1,
  Tracks: 0x1654ae6b,
  TrackEntry: 0xae,
  TrackNumber: 0xd7,
  Name: 0x536e,
  Tags: 0x1254c367,
  Tag: 0x7373,
  SimpleTag: 0x67c8,
  TagName: 0x45a3,
  TagString: 0x4487,
  Cluster: 0x1f43b675,
  Timecode: 0xe7,
  SimpleBlock: 0xa3,
  BlockGroup: 0xa0,
  Block: 0xa1,
} as const;

type Row = readonly [id: number, name: string, level: number, treatment: Treatment];

/** The children of an EBML header; by level alone they would be allowed in a Segment too. */
const OF_THE_HEADER: readonly Row[] = [
  [0x4286, 'EBMLVersion', 1, 'skip'],
  [0x42f7, 'EBMLReadVersion', 1, 'skip'],
  [0x42f2, 'EBMLMaxIDLength', 1, 'skip'],
  [0x42f3, 'EBMLMaxSizeLength', 1, 'skip'],
  [0x4282, 'DocType', 1, 'skip'],
  [0x4287, 'DocTypeVersion', 1, 'skip'],
  [0x4285, 'DocTypeReadVersion', 1, 'skip'],
];

/**
 * Everything else that may stand in a master that is entered. Masters whose children do not matter are skipped as a
 * whole; two small ones, whose children only make sense together, are taken as a whole.
 */
const OTHERS: readonly Row[] = [
  [0xec, 'Void', -1, 'skip'],
  [0xbf, 'CRC-32', -1, 'skip'],
  [ID.EBML, 'EBML', 0, 'enter'],
  [ID.Segment, 'Segment', 0, 'enter'],
  [0x114d9b74, 'SeekHead', 1, 'skip'],
  [ID.Info, 'Info', 1, 'enter'],
  [ID.SegmentUID, 'SegmentUID', 2, 'take'],
  [0x7384, 'SegmentFilename', 2, 'skip'],
  [0x3cb923, 'PrevUID', 2, 'skip'],
  [0x3c83ab, 'PrevFilename', 2, 'skip'],
  [0x3eb923, 'NextUID', 2, 'skip'],
  [0x3e83bb, 'NextFilename', 2, 'skip'],
  [0x4444, 'SegmentFamily', 2, 'skip'],
  [0x6924, 'ChapterTranslate', 2, 'skip'],
  [ID.TimecodeScale, 'TimecodeScale', 2, 'take'],
  [0x4489, 'Duration', 2, 'skip'],
  [0x4461, 'DateUTC', 2, 'skip'],
  [0x7ba9, 'Title', 2, 'skip'],
  [0x4d80, 'MuxingApp', 2, 'skip'],
  [0x5741, 'WritingApp', 2, 'skip'],
  [ID.Tracks, 'Tracks', 1, 'enter'],
  [ID.TrackEntry, 'TrackEntry', 2, 'take'],
  [ID.Cluster, 'Cluster', 1, 'enter'],
  [ID.Timecode, 'Timecode', 2, 'take'],
  [0x5854, 'SilentTracks', 2, 'skip'],
  [0xa7, 'Position', 2, 'skip'],
  [0xab, 'PrevSize', 2, 'skip'],
  [ID.SimpleBlock, 'SimpleBlock', 2, 'take'],
  [0xaf, 'EncryptedBlock', 2, 'skip'],
  [ID.BlockGroup, 'BlockGroup', 2, 'enter'],
  [ID.Block, 'Block', 3, 'take'],
  [0xa2, 'BlockVirtual', 3, 'skip'],
  [0x75a1, 'BlockAdditions', 3, 'skip'],
  [0x9b, 'BlockDuration', 3, 'skip'],
  [0xfa, 'ReferencePriority', 3, 'skip'],
  [0xfb, 'ReferenceBlock', 3, 'skip'],
  [0xfd, 'ReferenceVirtual', 3, 'skip'],
  [0xa4, 'CodecState', 3, 'skip'],
  [0x75a2, 'DiscardPadding', 3, 'skip'],
  [0x8e, 'Slices', 3, 'skip'],
  [0xc8, 'ReferenceFrame', 3, 'skip'],
  [0x1c53bb6b, 'Cues', 1, 'skip'],
  [0x1941a469, 'Attachments', 1, 'skip'],
  [0x1043a770, 'Chapters', 1, 'skip'],
  [ID.Tags, 'Tags', 1, 'enter'],
  [ID.Tag, 'Tag', 2, 'enter'],
  [0x63c0, 'Targets', 3, 'skip'],
  [ID.SimpleTag, 'SimpleTag', 3, 'take'],
];

/** By element id, including its marker bits. */
export const ELEMENTS: ReadonlyMap<number, ElementKind> = new Map([
  ...OF_THE_HEADER.map((row) => entryOf(row, true)),
  ...OTHERS.map((row) => entryOf(row, false)),
]);

/** Elements with an id of one byte, such as blocks, which are looked up thousands of times a second. */
const SHORT_ELEMENTS = Array.from({ length: 256 }, (_, id) => ELEMENTS.get(id));

/** Undefined for an element that cannot stand where the demuxer reads. */
export function kindOf(id: number): ElementKind | undefined {
  return id < SHORT_ELEMENTS.length ? SHORT_ELEMENTS[id] : ELEMENTS.get(id);
}

/** The first bytes of every fragment: the EBML header's id. */
export const EBML_HEADER = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3);

/** The id of the first child of every EBML header that Kinesis sends. */
export const EBML_VERSION = Uint8Array.of(0x42, 0x86);

function entryOf([id, name, level, treatment]: Row, isOfHeader: boolean): [number, ElementKind] {
  return [id, { name, level, treatment, isOfHeader }];
}
