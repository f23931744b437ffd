import { type BlockEvents, tellBlock } from './block.ts';
import { EBML_HEADER, type ElementKind, ID, kindOf } from './element-ids.ts';
import { readTrackEntry, type TagEvents, type Track, tellSimpleTag } from './elements.ts';
import { HeaderSearch } from './header-search.ts';
import { OpenMasters } from './open-masters.ts';
import { readSize, readUint, UNKNOWN_SIZE, vintLength } from './vint.ts';

/** What the demuxer finds, in the order of the bytes. */
export interface DemuxerEvents extends TagEvents, BlockEvents {
  /** An EBML header: a new fragment begins, whatever the one before it lacked. */
  fragment(): void;
  track(track: Track): void;
  /** The fragment's cluster is whole: its known size has been read, or the element after it has begun. */
  clusterEnd(): void;
  /** Bytes that are not Matroska as Kinesis writes it; everything up to the next EBML header is passed over. */
  corrupt(reason: string): void;
}

/** More than any element without children that Kinesis sends: Connect's blocks have 1 KiB, the captures' video 110 KiB. */
const MAX_LEAF_BYTES = 256 * 1024;
/** EBMLMaxIDLength of every Matroska file. */
const MAX_ID_BYTES = 4;
const NS_PER_MS = 1_000_000;

/**
 * Turns the bytes of one GetMedia body into tracks, tags and blocks as they arrive (daemon/kinesis/README.md, "Body").
 * It walks the bytes in place and hands out views; only an element that straddles two chunks is copied, once.
 * Holds at most one such element, so memory is bounded whatever the bytes say.
 */
export class Demuxer {
  readonly #events: DemuxerEvents;
  readonly #headers = new HeaderSearch();
  /** Where the next byte to look at stands in the body. */
  #offset = 0;
  /** Whether the thread is lost and the next EBML header is looked for. */
  #lost = false;
  /** The beginning of an element that the last chunk cut off, in a buffer of just the size it needs (of Node's pool). */
  #held: Buffer | undefined;
  #heldLength = 0;
  readonly #masters = new OpenMasters();
  #scaleMs = 1;
  #clusterTicks: number | undefined;

  constructor(events: DemuxerEvents) {
    this.#events = events;
  }

  /** Takes the next bytes of the body. Views handed out stay valid as long as `chunk` is left alone. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let at = 0;
    while (at < bytes.length) at = this.#held ? this.#fill(this.#held, bytes, at) : this.#walk(bytes, at);
  }

  /** Adds to the element that was cut off, and reads it when it is whole. Gives how far that took `chunk`. */
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

  /** Reads elements until the bytes are used up or the rest of them is held. */
  #walk(bytes: Buffer, from: number): number {
    this.#headers.begin(bytes);
    let at = from;
    while (at < bytes.length && !this.#held) {
      if (this.#lost) {
        at = this.#seek(bytes, at);
      } else {
        const taken = this.#element(bytes, at);
        this.#offset += taken;
        at += taken;
        if (this.#offset >= this.#masters.end) this.#leaveWhole();
      }
    }
    return bytes.length;
  }

  /** Reads the element at `at` and gives the bytes that are done with: 0 when more must come, 1 when the thread was lost. */
  #element(bytes: Buffer, at: number): number {
    const available = bytes.length - at;
    const idLength = vintLength(bytes[at] as number);
    if (idLength > MAX_ID_BYTES) return this.#lose('no element id where one must stand');
    if (available <= idLength) return this.#hold(bytes, at, idLength + 1);
    const sizeLength = vintLength(bytes[at + idLength] as number);
    if (sizeLength > 8) return this.#lose('no element size where one must stand');
    const headerLength = idLength + sizeLength;
    if (available < headerLength) return this.#hold(bytes, at, headerLength);

    const id = readUint(bytes, at, idLength);
    const size = readSize(bytes, at + idLength, sizeLength);
    const kind = kindOf(id);
    if (!this.#place(id, kind)) return this.#lose(`${nameOf(kind)} where it cannot stand`);
    const end = size === UNKNOWN_SIZE ? Infinity : this.#offset + headerLength + size;
    if (end > this.#masters.end && end !== Infinity) return this.#lose(`${nameOf(kind)} longer than what it is in`);
    if (kind?.treatment === 'enter') {
      this.#enter(id, kind, end);
      return headerLength;
    }
    if (size === UNKNOWN_SIZE) return this.#lose(`${nameOf(kind)} of unknown size`);
    if (size > MAX_LEAF_BYTES) return this.#lose(`${nameOf(kind)} of ${size} bytes`);
    if (available < headerLength + size) return this.#hold(bytes, at, headerLength + size);
    const payloadAt = at + headerLength;
    // A broken size may have it reach into the next fragment, which may be another caller's.
    if (this.#headers.isWithin(payloadAt, payloadAt + size)) {
      return this.#lose(`${nameOf(kind)} that reaches into the next fragment`);
    }
    const fault = kind?.treatment === 'take' ? this.#take(id, bytes, payloadAt, payloadAt + size) : undefined;
    return fault ? this.#lose(fault) : headerLength + size;
  }

  /** Leaves the masters that the element shows to be over; says whether it may stand where that leads. */
  #place(id: number, kind: ElementKind | undefined): boolean {
    for (let parent = this.#masters.innermost; parent; parent = this.#masters.innermost) {
      const parentIsOpen = this.#masters.end === Infinity;
      if (!kind) return !parentIsOpen;
      if (kind.level === -1) return true;
      if (kind.level === parent.level + 1) return kind.isOfHeader === (parent.name === 'EBML');
      if (kind.level > parent.level) return false;
      if (parentIsOpen) this.#leave();
      else if (id === ID.ebml) this.#abandon(`${parent.name} cut short by the next fragment`);
      else return false;
    }
    return kind?.level === 0;
  }

  #enter(id: number, kind: ElementKind, end: number): void {
    this.#masters.enter(kind, end);
    if (id === ID.cluster) this.#clusterTicks = undefined;
    if (id !== ID.ebml) return;
    this.#scaleMs = 1;
    this.#events.fragment();
  }

  #leave(): void {
    const left = this.#masters.leave();
    if (left?.name === 'Cluster') this.#events.clusterEnd();
  }

  /** Leaves the masters that end where we are. */
  #leaveWhole(): void {
    while (this.#offset >= this.#masters.end) this.#leave();
  }

  #take(id: number, bytes: Buffer, from: number, to: number): string | undefined {
    if (id === ID.simpleBlock || id === ID.block)
      return tellBlock(bytes, from, to, this.#clusterTicks, this.#scaleMs, this.#events);
    if (id === ID.simpleTag) {
      if (!tellSimpleTag(bytes, from, to, this.#events)) return 'a broken tag';
    } else if (id === ID.trackEntry) {
      const track = readTrackEntry(bytes, from, to);
      if (!track) return 'a broken track entry';
      this.#events.track(track);
    } else {
      if (to - from > 8) return 'a number of more than 8 bytes';
      const value = readUint(bytes, from, to - from);
      if (id === ID.timecode) this.#clusterTicks = value;
      else if (id === ID.timecodeScale) this.#scaleMs = value / NS_PER_MS;
    }
    return undefined;
  }

  /** Keeps what is there of an element that needs `needed` bytes. */
  #hold(bytes: Buffer, at: number, needed: number): 0 {
    this.#held = Buffer.allocUnsafe(needed);
    this.#heldLength = bytes.copy(this.#held, 0, at);
    return 0;
  }

  #lose(reason: string): 1 {
    this.#abandon(reason);
    this.#lost = true;
    return 1;
  }

  /** Leaves all masters as they are: unfinished. */
  #abandon(reason: string): void {
    this.#masters.leaveAll();
    this.#events.corrupt(reason);
  }

  /** Gives where the next EBML header stands, having passed over all before it. */
  #seek(bytes: Buffer, at: number): number {
    let next = this.#headers.next(at);
    if (next === Infinity) {
      next = bytes.length - this.#headers.cutOff(at);
      if (next < bytes.length) this.#hold(bytes, next, EBML_HEADER.length);
    } else {
      this.#lost = false;
    }
    this.#offset += next - at;
    return next;
  }
}

function nameOf(kind: ElementKind | undefined): string {
  return kind?.name ?? 'an unknown element';
}
