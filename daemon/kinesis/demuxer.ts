import { readSimpleTag, readTrackEntry, type Track } from './elements.ts';
import { EBML_HEADER, EBML_VERSION, ELEMENTS, type ElementKind, ID } from './matroska.ts';
import { readId, readSize, readUint, UNKNOWN_SIZE, vintLength } from './vint.ts';

/** What the demuxer finds, in the order of the bytes. */
export interface DemuxerEvents {
  /** An EBML header: a new fragment begins, whatever the one before it lacked. */
  fragment(): void;
  track(track: Track): void;
  tag(name: string, value: string): void;
  /**
   * @param timeMs the cluster's timecode plus the block's own offset, on the producer's clock
   * @param payload a view of what was pushed, not a copy
   */
  block(trackNumber: number, timeMs: number, payload: Uint8Array): void;
  /** The fragment's cluster is whole: its known size has been read, or the element after it has begun. */
  clusterEnd(): void;
  /** Bytes that are not Matroska as Kinesis writes it; everything up to the next EBML header is passed over. */
  corrupt(reason: string): void;
}

/** More than any element without children that Kinesis sends: Connect's blocks have 1 KiB, the captures' video 110 KiB. */
const MAX_LEAF_BYTES = 256 * 1024;
/** EBMLMaxIDLength of every Matroska file. */
const MAX_ID_BYTES = 4;
/** The bits of a block's flags that say several frames are packed into it. */
const LACING_FLAGS = 0x06;
const NS_PER_MS = 1_000_000;

/**
 * Turns the bytes of one GetMedia body into tracks, tags and blocks as they arrive (kinesis-video.md, "Body").
 * It walks the bytes in place and hands out views; only an element that straddles two chunks is copied, once.
 * Holds at most one such element, so memory is bounded whatever the bytes say.
 */
export class Demuxer {
  readonly #events: DemuxerEvents;
  /** Where the next byte to look at stands in the body. */
  #offset = 0;
  /** Whether the thread is lost and the next EBML header is looked for. */
  #lost = false;
  /** The beginning of an element that the last chunk cut off, in a buffer of just the size it needs. */
  #held: Uint8Array | undefined;
  #heldLength = 0;
  /** The masters that we are in, outermost first, and where in the body each ends (Infinity: unknown). */
  readonly #masters: ElementKind[] = [];
  readonly #ends: number[] = [];
  #scaleMs = 1;
  #clusterTicks: number | undefined;

  constructor(events: DemuxerEvents) {
    this.#events = events;
  }

  /** Takes the next bytes of the body. Views handed out stay valid as long as `chunk` is left alone. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at = this.#held ? this.#fill(this.#held, chunk, at) : this.#walk(chunk, at);
  }

  /** Adds to the element that was cut off, and reads it when it is whole. Gives how far that took `chunk`. */
  #fill(held: Uint8Array, chunk: Uint8Array, at: number): number {
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
  #walk(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && !this.#held) {
      if (this.#lost) {
        at = this.#seek(bytes, at);
      } else {
        const taken = this.#element(bytes, at);
        this.#advance(taken);
        at += taken;
      }
    }
    return bytes.length;
  }

  /** Reads the element at `at` and gives the bytes that are done with: 0 when more must come, 1 when the thread was lost. */
  #element(bytes: Uint8Array, at: number): number {
    const available = bytes.length - at;
    const idLength = vintLength(bytes[at] as number);
    if (idLength > MAX_ID_BYTES) return this.#lose('no element id where one must stand');
    if (available <= idLength) return this.#hold(bytes, at, idLength + 1);
    const sizeLength = vintLength(bytes[at + idLength] as number);
    if (sizeLength > 8) return this.#lose('no element size where one must stand');
    const headerLength = idLength + sizeLength;
    if (available < headerLength) return this.#hold(bytes, at, headerLength);

    const id = readId(bytes, at, idLength);
    const size = readSize(bytes, at + idLength, sizeLength);
    const kind = ELEMENTS.get(id);
    const name = kind?.name ?? 'an unknown element';
    if (!this.#place(id, kind)) return this.#lose(`${name} where it cannot stand`);
    const end = size === UNKNOWN_SIZE ? Infinity : this.#offset + headerLength + size;
    if (size !== UNKNOWN_SIZE && end > (this.#ends.at(-1) ?? Infinity)) {
      return this.#lose(`${name} longer than what it is in`);
    }
    if (kind?.treatment === 'enter') {
      this.#enter(id, kind, end);
      return headerLength;
    }
    if (size === UNKNOWN_SIZE) return this.#lose(`${name} of unknown size`);
    if (size > MAX_LEAF_BYTES) return this.#lose(`${name} of ${size} bytes`);
    if (available < headerLength + size) return this.#hold(bytes, at, headerLength + size);
    const payload = bytes.subarray(at + headerLength, at + headerLength + size);
    // A broken size may have it reach into the next fragment, which may be another caller's.
    if (holdsHeader(payload)) return this.#lose(`${name} that reaches into the next fragment`);
    const fault = kind?.treatment === 'take' ? this.#take(id, payload) : undefined;
    return fault ? this.#lose(fault) : headerLength + size;
  }

  /** Leaves the masters that the element shows to be over; says whether it may stand where that leads. */
  #place(id: number, kind: ElementKind | undefined): boolean {
    for (let parent = this.#masters.at(-1); parent; parent = this.#masters.at(-1)) {
      const parentIsOpen = this.#ends.at(-1) === Infinity;
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
    this.#masters.push(kind);
    this.#ends.push(end);
    if (id === ID.cluster) this.#clusterTicks = undefined;
    if (id !== ID.ebml) return;
    this.#scaleMs = 1;
    this.#events.fragment();
  }

  #leave(): void {
    this.#ends.pop();
    if (this.#masters.pop()?.name === 'Cluster') this.#events.clusterEnd();
  }

  #take(id: number, payload: Uint8Array): string | undefined {
    if (id === ID.simpleBlock || id === ID.block) return this.#takeBlock(payload);
    if (id === ID.simpleTag) {
      const tag = readSimpleTag(payload);
      if (!tag) return 'a broken tag';
      this.#events.tag(tag.name, tag.value);
    } else if (id === ID.trackEntry) {
      const track = readTrackEntry(payload);
      if (!track) return 'a broken track entry';
      this.#events.track(track);
    } else {
      if (payload.length > 8) return 'a number of more than 8 bytes';
      const value = readUint(payload, 0, payload.length);
      if (id === ID.timecode) this.#clusterTicks = value;
      else if (id === ID.timecodeScale) this.#scaleMs = value / NS_PER_MS;
    }
    return undefined;
  }

  #takeBlock(payload: Uint8Array): string | undefined {
    const trackLength = vintLength(payload[0] ?? 0);
    const dataAt = trackLength + 3;
    if (dataAt > payload.length) return 'a block without a header';
    if (this.#clusterTicks === undefined) return 'a block before the timecode of its cluster';
    if ((payload[trackLength + 2] as number) & LACING_FLAGS) return 'a laced block, which Kinesis does not write';
    const offset = (readUint(payload, trackLength, 2) << 16) >> 16;
    const timeMs = (this.#clusterTicks + offset) * this.#scaleMs;
    this.#events.block(readSize(payload, 0, trackLength), timeMs, payload.subarray(dataAt));
    return undefined;
  }

  #advance(bytes: number): void {
    this.#offset += bytes;
    while (this.#ends.length > 0 && (this.#ends.at(-1) as number) <= this.#offset) this.#leave();
  }

  /** Keeps what is there of an element that needs `needed` bytes. */
  #hold(bytes: Uint8Array, at: number, needed: number): 0 {
    this.#held = new Uint8Array(needed);
    this.#held.set(bytes.subarray(at));
    this.#heldLength = bytes.length - at;
    return 0;
  }

  #lose(reason: string): 1 {
    this.#abandon(reason);
    this.#lost = true;
    return 1;
  }

  /** Leaves all masters as they are: unfinished. */
  #abandon(reason: string): void {
    this.#masters.length = 0;
    this.#ends.length = 0;
    this.#events.corrupt(reason);
  }

  /** Gives where the next EBML header stands, having passed over all before it. */
  #seek(bytes: Uint8Array, at: number): number {
    const found = indexOfHeader(bytes, at);
    let next = found;
    if (found < 0) {
      next = bytes.length - headerPrefixLength(bytes, at);
      if (next < bytes.length) this.#hold(bytes, next, EBML_HEADER.length);
    } else {
      this.#lost = false;
    }
    this.#offset += next - at;
    return next;
  }
}

function indexOfHeader(bytes: Uint8Array, from: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(EBML_HEADER, from);
}

/**
 * Whether an EBML header is among the bytes. Audio may well hold the four bytes of its id, once in some hours of a
 * thousand calls; that the id of EBMLVersion follows where it must is another matter.
 */
function holdsHeader(bytes: Uint8Array): boolean {
  for (let at = indexOfHeader(bytes, 0); at >= 0; at = indexOfHeader(bytes, at + 1)) {
    const sizeAt = at + EBML_HEADER.length;
    const childAt = sizeAt + vintLength(bytes[sizeAt] ?? 0);
    if (EBML_VERSION.every((byte, i) => bytes[childAt + i] === byte)) return true;
  }
  return false;
}

/** How many of the last bytes could be the beginning of an EBML header: 0 to 3. */
function headerPrefixLength(bytes: Uint8Array, from: number): number {
  for (let length = Math.min(EBML_HEADER.length - 1, bytes.length - from); length > 0; length--) {
    if (EBML_HEADER.subarray(0, length).every((byte, i) => bytes[bytes.length - length + i] === byte)) return length;
  }
  return 0;
}
