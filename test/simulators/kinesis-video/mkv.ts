import { element, elementStart, type SizeBytes, sizeField, UNKNOWN_SIZE, unsigned } from './ebml.ts';

/** A track in a fragment's Tracks element. */
export interface Track {
  readonly name: string;
  readonly number: number;
}

export type Tag = readonly [name: string, value: string];

/** Content of the tags that the service adds to a fragment. Times are epoch milliseconds. */
interface FragmentFacts {
  readonly number: string;
  readonly serverMs: number;
  readonly producerMs: number;
  readonly segmentUid?: string | undefined;
}

/** Kinesis Video encodes sizes in 4 bytes, Connect's producer in 8 (captures: test_mixed_tags.mkv). */
const SERVICE_SIZE: SizeBytes = 4;
const PRODUCER_SIZE: SizeBytes = 8;
/** One tick of a timecode is 1 ms. */
const TIMECODE_SCALE_NS = 1_000_000;
/** Matroska's type number of an audio track. */
const AUDIO = 2;
/** Connect's codec id for its 16-bit PCM, odd as it is, from a printed fragment of a real Connect stream. */
const CODEC_ID = 'A_AAC';
/** The matching AudioSpecificConfig: AAC-LC, 8 kHz, one channel. */
const CODEC_PRIVATE = Buffer.from('1588', 'hex');
const PRODUCER = 'Kinesis Video SDK 1.1.0 JNI 2.0';
/** The SegmentUID of a run of the producer, in hex. */
export const SEGMENT_UID = '02728bdf2fc0bc219da7700bed40c7c3';
/** Neither lacing nor invisible; each block can be decoded by itself. */
const KEYFRAME = 0x80;

/** EBML header and the start of the Segment: the same in every chunk. */
const CHUNK_START = Buffer.concat([
  element(
    'EBML',
    1,
    element('EBMLVersion', 1, unsigned(1, 1)),
    element('EBMLReadVersion', 1, unsigned(1, 1)),
    element('EBMLMaxIDLength', 1, unsigned(4, 1)),
    element('EBMLMaxSizeLength', 1, unsigned(8, 1)),
    element('DocType', 1, Buffer.from('matroska\0')),
    element('DocTypeVersion', 1, unsigned(2, 1)),
    element('DocTypeReadVersion', 1, unsigned(2, 1)),
  ),
  elementStart('Segment', UNKNOWN_SIZE),
]);

function info(segmentUid: string): Buffer {
  return element(
    'Info',
    4,
    element('SegmentUID', 1, Buffer.from(segmentUid, 'hex')),
    element('TimecodeScale', 1, unsigned(TIMECODE_SCALE_NS, 8)),
    element('Title', 1, Buffer.from('Kinesis Video SDK\0')),
    element('MuxingApp', 1, Buffer.from(`${PRODUCER}\0`)),
    element('WritingApp', 1, Buffer.from(`${PRODUCER}\0`)),
  );
}

/** A fragment up to its cluster; `producerTags` are the result of the function of that name. */
export function fragmentHead(facts: FragmentFacts, tracks: readonly Track[], producerTags?: Buffer): Buffer {
  return Buffer.concat([
    CHUNK_START,
    info(facts.segmentUid ?? SEGMENT_UID),
    element('Tracks', SERVICE_SIZE, ...tracks.map(trackEntry)),
    ...(producerTags ? [producerTags] : []),
    serviceTags([
      ['AWS_KINESISVIDEO_FRAGMENT_NUMBER', facts.number],
      ['AWS_KINESISVIDEO_SERVER_TIMESTAMP', seconds(facts.serverMs)],
      ['AWS_KINESISVIDEO_PRODUCER_TIMESTAMP', seconds(facts.producerMs)],
    ]),
  ]);
}

/** A cluster of known size. */
export function cluster(timecodeMs: number, blocks: readonly Buffer[]): Buffer {
  const head = clusterHead(timecodeMs);
  const size = blocks.reduce((total, { length }) => total + length, head.length);
  return Buffer.concat([elementStart('Cluster', sizeField(size, 8)), head, ...blocks]);
}

/** The start of a cluster of unknown size, whose blocks follow one by one. */
export function openCluster(timecodeMs: number, unknownSize: Buffer): Buffer {
  return Buffer.concat([elementStart('Cluster', unknownSize), clusterHead(timecodeMs)]);
}

/** A block of PCM, `offsetMs` after its cluster's timecode. */
export function simpleBlock(track: number, offsetMs: number, pcm: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(0x80 | track);
  head.writeInt16BE(offsetMs, 1);
  head.writeUInt8(KEYFRAME, 3);
  return element('SimpleBlock', PRODUCER_SIZE, head, pcm);
}

/** The producer's tags, each in its own Tags element, as in Connect's streams. */
export function producerTags(tags: readonly Tag[]): Buffer {
  return Buffer.concat(tags.map((tag) => tagsElement([tag], PRODUCER_SIZE)));
}

/** The service's tags after a delivered fragment. */
export function fragmentTail(number: string, millisBehindNow: number): Buffer {
  return serviceTags([
    ['AWS_KINESISVIDEO_MILLIS_BEHIND_NOW', String(millisBehindNow)],
    ['AWS_KINESISVIDEO_CONTINUATION_TOKEN', number],
  ]);
}

/** The chunk with the reason for the end of a body: a numeric id (4000: no such fragment) and its text (AWS docs). */
export function errorChunk(number: string, errorId: number | undefined, errorCode: string | undefined): Buffer {
  const tags: [string, string][] = [['AWS_KINESISVIDEO_FRAGMENT_NUMBER', number]];
  if (errorCode !== undefined) tags.push(['AWS_KINESISVIDEO_ERROR_CODE', errorCode]);
  if (errorId !== undefined) tags.push(['AWS_KINESISVIDEO_ERROR_ID', String(errorId)]);
  return Buffer.concat([CHUNK_START, serviceTags(tags)]);
}

function trackEntry({ name, number }: Track): Buffer {
  return element(
    'TrackEntry',
    SERVICE_SIZE,
    element('TrackNumber', 1, unsigned(number, 1)),
    element('TrackUID', 1, unsigned(number, 8)),
    element('TrackType', 1, unsigned(AUDIO, 1)),
    element('Name', 1, Buffer.from(name)),
    element('CodecID', 1, Buffer.from(CODEC_ID)),
    element('CodecPrivate', 1, CODEC_PRIVATE),
  );
}

function clusterHead(timecodeMs: number): Buffer {
  return Buffer.concat([element('Timecode', 1, unsigned(timecodeMs, 8)), element('Position', 1, unsigned(0, 1))]);
}

function serviceTags(tags: readonly Tag[]): Buffer {
  return tagsElement(tags, SERVICE_SIZE);
}

function tagsElement(tags: readonly Tag[], sizeBytes: SizeBytes): Buffer {
  const simpleTags = tags.map(([name, value]) =>
    element(
      'SimpleTag',
      sizeBytes,
      element('TagName', sizeBytes, Buffer.from(name)),
      element('TagString', sizeBytes, Buffer.from(value)),
    ),
  );
  return element('Tags', sizeBytes, element('Tag', sizeBytes, ...simpleTags));
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
