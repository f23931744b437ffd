import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Decoder, type StateAndTagData, type Tag } from 'ebml';

/** A block; its time is Cluster.Timecode plus its own offset. */
interface ReadBlock {
  readonly track: string;
  readonly startMs: number;
  readonly pcm: Buffer;
}

/** A fragment, as parsed by ebml. */
interface ReadFragment {
  /** All tags, by name. */
  readonly tags: Record<string, string>;
  /** Names of its elements, in order. */
  readonly elements: string[];
  /** Track names by number. */
  readonly tracks: Map<number, string>;
  readonly blocks: ReadBlock[];
  timecodeMs: number;
}

/** Node's error codes for a connection that broke or was aborted. */
const BROKEN = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Reads a GetMedia body with ebml's decoder, as an independent oracle. */
export class MediaReader {
  readonly fragments: ReadFragment[] = [];
  /** How the body ended. */
  readonly end: Promise<'whole' | 'broken'>;
  readonly #payload: Readable;
  readonly #chunks: Buffer[] = [];
  readonly #decoder = new Decoder();
  readonly #news = new EventTarget();
  #trackNumber = 0;
  #tagName = '';

  constructor(payload: Readable) {
    this.#payload = payload;
    this.#decoder.on('data', (event: StateAndTagData) => this.#take(event));
    this.end = this.#read();
  }

  /** Waits until enough has been read; rejects if the body ends first. */
  async until(enough: (reader: this) => boolean): Promise<void> {
    const ended = this.end.then(() => 'ended');
    while (!enough(this)) {
      const what = await Promise.race([once(this.#news, 'news').then(() => 'news'), ended]);
      if (what === 'ended' && !enough(this)) throw new Error(`the body ended after ${this.fragments.length} fragments`);
    }
  }

  /** Waits for a complete fragment: its continuation token comes last. */
  async fragment(index: number): Promise<ReadFragment> {
    const token = 'AWS_KINESISVIDEO_CONTINUATION_TOKEN';
    await this.until(({ fragments }) => fragments[index]?.tags[token] !== undefined);
    return this.fragments[index] as ReadFragment;
  }

  /** The bytes of the body so far. */
  get body(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The PCM of a track so far. */
  pcm(track: string): Buffer {
    const blocks = this.fragments.flatMap((fragment) => fragment.blocks);
    return Buffer.concat(blocks.filter((block) => block.track === track).map(({ pcm }) => pcm));
  }

  /** Closes the connection. */
  close(): void {
    this.#payload.destroy();
  }

  async #read(): Promise<'whole' | 'broken'> {
    try {
      for await (const chunk of this.#payload) {
        this.#chunks.push(chunk as Buffer);
        this.#decoder.write(chunk as Buffer);
        this.#news.dispatchEvent(new Event('news'));
      }
      return 'whole';
    } catch (error) {
      if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      return 'broken';
    }
  }

  #take([state, element]: StateAndTagData): void {
    if (state === 'end') return;
    if (element.name === 'EBML') {
      this.fragments.push({ tags: {}, elements: [], tracks: new Map(), blocks: [], timecodeMs: 0 });
    }
    const fragment = this.fragments.at(-1);
    if (!fragment) throw new Error(`the body starts with ${element.name}, not with an EBML header`);
    fragment.elements.push(element.name);
    if (state === 'tag') this.#takeLeaf(fragment, element);
  }

  #takeLeaf(fragment: ReadFragment, leaf: Tag<'u' | '8' | 'b'> & { track?: number; payload?: Buffer }): void {
    const { name, track = 0, payload } = leaf;
    // ebml has its own Buffer type, which differs from Node's.
    const data = Buffer.from(leaf.data);
    if (name === 'TrackNumber') this.#trackNumber = data.readUInt8();
    if (name === 'Name') fragment.tracks.set(this.#trackNumber, data.toString());
    if (name === 'TagName') this.#tagName = data.toString();
    if (name === 'TagString') fragment.tags[this.#tagName] = data.toString();
    if (name === 'Timecode') fragment.timecodeMs = Number(data.readBigUInt64BE());
    if (name === 'SimpleBlock' && payload) {
      const startMs = fragment.timecodeMs + data.readInt16BE(1);
      fragment.blocks.push({
        track: fragment.tracks.get(track) ?? `no track ${track}`,
        startMs,
        pcm: Buffer.from(payload),
      });
    }
  }
}
