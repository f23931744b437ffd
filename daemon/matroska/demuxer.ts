import { type BlockEvents, emitBlock } from './block.ts';
import { EBML_HEADER, type ElementKind, ID, kindOf } from './element-ids.ts';
import { emitSimpleTag, readTrackEntry, type TagEvents, type Track } from './elements.ts';
import { cutOffHeader, HeaderSearch, LONGEST_HEADER_START } from './header-search.ts';
import { OpenMasters } from './open-masters.ts';
import { readSize, readUint, UNKNOWN_SIZE, vintLength } from './vint.ts';

/** What the demuxer finds, in the order of the bytes. */
export interface DemuxerEvents extends TagEvents, BlockEvents {
  /** An EBML header, or a Segment without one: a new fragment begins, even if the previous one was incomplete. */
  fragment(): void;
  /** The SegmentUID, in hex: the same for all fragments of one run of the producer. */
  segmentUid(uid: string): void;
  track(track: Track): void;
  /** A cluster begins. */
  cluster(): void;
  /** The fragment's cluster is complete: its known size has been read, or the next element has begun. */
  clusterEnd(): void;
  /**
   * An element with an unknown meaning, or one among the tags that we do not use, is skipped; its payload is the bytes
   * `from` up to `to`.
   */
  skipped(bytes: Buffer, from: number, to: number): void;
  /** The same for an element that is too long to inspect. */
  skippedUnseen(): void;
  /** Bytes that are not Matroska as Kinesis writes it; everything up to the next EBML header is skipped. */
  corrupt(reason: string): void;
  /** This many of those bytes were skipped; called again until the next EBML header is found. */
  passedOver(bytes: number): void;
}

/** Larger than any leaf element of Kinesis: Connect's blocks have 1 KiB, video blocks in the captures 110 KiB. */
const MAX_LEAF_BYTES = 256 * 1024;
/** Where two chunks meet within a longer element, this many bytes at most are copied to search them for a fragment. */
const SEAM_BYTES = 256;
/** Matroska's EBMLMaxIDLength. */
const MAX_ID_BYTES = 4;
const NS_PER_MS = 1_000_000;

/**
 * Turns the bytes of one GetMedia body into tracks, tags and blocks as they arrive (daemon/kinesis/README.md, "Body").
 * Walks the bytes in place and hands out views; only an element that straddles two chunks is copied, once. Holds at
 * most one such element, and none that is longer than MAX_LEAF_BYTES, so memory is bounded whatever the bytes are.
 */
export class Demuxer {
  readonly #events: DemuxerEvents;
  readonly #headers = new HeaderSearch();
  /** Position of the next byte in the body. */
  #offset = 0;
  /** True while resynchronizing: skipping bytes until the next EBML header. */
  #isLost = false;
  /** The beginning of an element cut off by the end of a chunk, in a buffer of the size needed. */
  #held: Buffer | undefined;
  #heldLength = 0;
  /** Bytes still to come of an element that is too long to be held. */
  #longLeft = 0;
  readonly #masters = new OpenMasters();
  #scaleMs = 1;
  #clusterTicks: number | undefined;
  /** Undefined before the first byte. */
  #beginsOtherwise: boolean | undefined;
  #hasHeader = false;
  /** Whether the fragment's Segment has begun. */
  #hasSegment = false;

  constructor(events: DemuxerEvents) {
    this.#events = events;
  }

  /** True if the body is something else than Matroska: it did not begin as an EBML header does, and none came later. */
  get isForeign(): boolean {
    return this.#beginsOtherwise === true && !this.#hasHeader;
  }

  /** Parses the next bytes of the body. Views passed to the events stay valid until `chunk` is overwritten. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#beginsOtherwise ??= bytes.length > 0 ? !mayBegin(bytes[0] as number) : undefined;
    let at = 0;
    while (at < bytes.length) at = this.#held ? this.#fill(this.#held, bytes, at) : this.#walk(bytes, at);
  }

  /**
   * Adds to the element that was cut off, and reads it when it is complete. Returns the position reached in `chunk`.
   */
  #fill(held: Buffer, chunk: Buffer, at: number): number {
    const missing = chunk.subarray(at, at + held.length - this.#heldLength);
    held.set(missing, this.#heldLength);
    this.#heldLength += missing.length;
    if (this.#heldLength === held.length) {
      this.#held = undefined;
      this.#walk(held, 0);
    }
    return at + missing.length;
  }

  /** Reads elements until the bytes are used up or the rest is held. */
  #walk(bytes: Buffer, from: number): number {
    this.#headers.restart();
    let at = from;
    while (at < bytes.length && !this.#held) {
      if (this.#isLost) {
        at = this.#seek(bytes, at);
      } else {
        const taken = this.#longLeft > 0 ? this.#passLong(bytes, at) : this.#element(bytes, at);
        this.#offset += taken;
        at += taken;
        if (this.#offset >= this.#masters.end) this.#leaveEnded();
      }
    }
    return bytes.length;
  }

  /** Reads the element at `at`. Returns the bytes consumed: 0 when more are needed, 1 when it is corrupt. */
  #element(bytes: Buffer, at: number): number {
    const available = bytes.length - at;
    const idLength = vintLength(bytes[at] as number);
    if (idLength > MAX_ID_BYTES) return this.#lose('an invalid element id');
    if (available <= idLength) return this.#hold(bytes, at, idLength + 1);
    const sizeLength = vintLength(bytes[at + idLength] as number);
    if (sizeLength > 8) return this.#lose('an invalid element size');
    const headerLength = idLength + sizeLength;
    if (available < headerLength) return this.#hold(bytes, at, headerLength);

    const id = readUint(bytes, at, idLength);
    const size = readSize(bytes, at + idLength, sizeLength);
    const kind = kindOf(id);
    if (!this.#mayStand(id, kind)) return this.#lose(`${nameOf(kind)} in an unexpected place`);
    const end = size === UNKNOWN_SIZE ? Infinity : this.#offset + headerLength + size;
    if (end > this.#masters.end && end !== Infinity) return this.#lose(`${nameOf(kind)} longer than its parent`);
    if (kind?.treatment === 'enter') {
      this.#enter(id, kind, end);
      return headerLength;
    }
    if (size === UNKNOWN_SIZE) return this.#lose(`${nameOf(kind)} of unknown size`);
    if (size > MAX_LEAF_BYTES) {
      const fault = this.#beginLong(id, kind, size);
      return fault ? this.#lose(fault) : headerLength;
    }
    if (available < headerLength + size) return this.#hold(bytes, at, headerLength + size);
    const payloadAt = at + headerLength;
    const fault = this.#leaf(id, kind, bytes, payloadAt, payloadAt + size);
    return fault ? this.#lose(fault) : headerLength + size;
  }

  /** Reads or skips an element without children. Returns an error text if it is corrupt. */
  #leaf(id: number, kind: ElementKind | undefined, bytes: Buffer, from: number, to: number): string | undefined {
    // With a corrupt size it may extend into the next fragment, which may be another caller's.
    if (this.#headers.within(bytes, from, to) < Infinity) return `${nameOf(kind)} that extends into the next fragment`;
    return kind?.treatment === 'take' ? this.#take(id, bytes, from, to) : this.#skip(id, bytes, from, to);
  }

  /** Begins to pass over an element that is too long to be held. Returns an error text if it must be read. */
  #beginLong(id: number, kind: ElementKind | undefined, size: number): string | undefined {
    if (kind?.treatment === 'take') return `${nameOf(kind)} of ${size} bytes`;
    this.#longLeft = size;
    if (this.#mayNameContact(id)) this.#events.skippedUnseen();
    return undefined;
  }

  /** Passes over a part of a long element, up to a fragment that begins within it. Returns the bytes consumed. */
  #passLong(bytes: Buffer, at: number): number {
    const available = Math.min(bytes.length - at, this.#longLeft);
    const next = this.#headers.within(bytes, at, at + available);
    if (next < Infinity) {
      this.#longLeft = 0;
      this.#abandon('an element that extends into the next fragment');
      return next - at;
    }
    // A header may be cut off at the end.
    const passed = available === this.#longLeft ? available : Math.max(0, available - LONGEST_HEADER_START + 1);
    this.#longLeft -= passed;
    if (this.#longLeft > 0) this.#hold(bytes, at + passed, Math.min(this.#longLeft, SEAM_BYTES));
    return passed;
  }

  /** Leaves the masters that this element ends. Returns whether it is allowed where that leads. */
  #mayStand(id: number, kind: ElementKind | undefined): boolean {
    // RFC 8794, 6.2: an unknown element belongs to whatever it stands in.
    if (!kind || kind.level === -1) return true;
    for (let parent = this.#masters.innermost; parent; parent = this.#masters.innermost) {
      const parentIsOpen = this.#masters.end === Infinity;
      if (kind.level === parent.level + 1) return kind.isOfHeader === (parent.name === 'EBML');
      if (kind.level > parent.level) return false;
      if (parentIsOpen) this.#leave();
      else if (id === ID.EBML) this.#abandon(`${parent.name} cut off by the next fragment`);
      else return false;
    }
    return kind.level === 0;
  }

  #enter(id: number, kind: ElementKind, end: number): void {
    this.#masters.enter(kind, end);
    if (id === ID.Cluster) {
      this.#clusterTicks = undefined;
      this.#events.cluster();
    }
    this.#hasHeader ||= id === ID.EBML;
    const isFragment = id === ID.EBML || (id === ID.Segment && this.#hasSegment);
    this.#hasSegment = id === ID.Segment || (this.#hasSegment && id !== ID.EBML);
    if (!isFragment) return;
    this.#scaleMs = 1;
    this.#events.fragment();
  }

  #leave(): void {
    const left = this.#masters.leave();
    if (left?.name === 'Cluster') this.#events.clusterEnd();
  }

  /** Leaves the masters that end at the current position. */
  #leaveEnded(): void {
    while (this.#offset >= this.#masters.end) this.#leave();
  }

  #take(id: number, bytes: Buffer, from: number, to: number): string | undefined {
    if (id === ID.SimpleBlock || id === ID.Block)
      return emitBlock(bytes, from, to, this.#clusterTicks, this.#scaleMs, this.#events);
    if (id === ID.SimpleTag) return emitSimpleTag(bytes, from, to, this.#events) ? undefined : 'a malformed tag';
    if (id === ID.SegmentUID) return this.#takeSegmentUid(bytes, from, to);
    if (id !== ID.TrackEntry) return this.#takeNumber(id, bytes, from, to);
    const track = readTrackEntry(bytes, from, to);
    if (!track) return 'a malformed track entry';
    this.#events.track(track);
    return undefined;
  }

  #takeNumber(id: number, bytes: Buffer, from: number, to: number): string | undefined {
    if (to - from > 8) return 'a number of more than 8 bytes';
    const value = readUint(bytes, from, to - from);
    if (id === ID.Timecode) this.#clusterTicks = value;
    else if (id === ID.TimecodeScale) this.#scaleMs = value / NS_PER_MS;
    return undefined;
  }

  #skip(id: number, bytes: Buffer, from: number, to: number): undefined {
    if (this.#mayNameContact(id)) this.#events.skipped(bytes, from, to);
  }

  /** Whether an element that is skipped is unknown, or among the tags. */
  #mayNameContact(id: number): boolean {
    const parent = this.#masters.innermost?.name;
    return !kindOf(id) || parent === 'Tags' || parent === 'Tag';
  }

  #takeSegmentUid(bytes: Buffer, from: number, to: number): string | undefined {
    if (this.#masters.innermost?.name !== 'Info') return 'a SegmentUID outside of Info';
    this.#events.segmentUid(bytes.toString('hex', from, to));
    return undefined;
  }

  /** Keeps the beginning of an element that needs `needed` bytes. */
  #hold(bytes: Buffer, at: number, needed: number): 0 {
    this.#held = Buffer.allocUnsafe(needed);
    this.#heldLength = bytes.copy(this.#held, 0, at);
    return 0;
  }

  #lose(reason: string): 1 {
    this.#abandon(reason);
    this.#isLost = true;
    return 1;
  }

  /** Discards all open masters. */
  #abandon(reason: string): void {
    this.#masters.leaveAll();
    this.#events.corrupt(reason);
  }

  /** Skips to the next EBML header and returns its position. */
  #seek(bytes: Buffer, at: number): number {
    let next = this.#headers.next(bytes, at);
    if (next === Infinity) {
      next = bytes.length - cutOffHeader(bytes, at);
      if (next < bytes.length) this.#hold(bytes, next, EBML_HEADER.length);
    } else {
      this.#isLost = false;
    }
    this.#offset += next - at;
    this.#events.passedOver(next - at);
    return next;
  }
}

/** Whether a body may begin with this byte: an EBML header's, or that of an element that may stand anywhere. */
function mayBegin(first: number): boolean {
  return first === EBML_HEADER[0] || kindOf(first)?.level === -1;
}

function nameOf(kind: ElementKind | undefined): string {
  return kind?.name ?? 'an unknown element';
}
