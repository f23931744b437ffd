import type { Socket } from 'node:net';
import { crc32 } from 'node:zlib';
import { BLOCKS_PER_FRAGMENT, blockChunk, contentOf, LAST_CHUNK, type Speaker, type TagPlace } from './fragments.ts';
import { contactIdOf } from './identity.ts';
import { monotonicMs } from './monotonic.ts';
import { BLOCK_MS } from './sound.ts';

/** Unread bytes per connection, 2 s of a call: the rest stays in the stream. */
const HIGH_WATER_BYTES = 64 * 1024;
/** The contact that uses a stream after the call. */
const NEXT_CONTACT_ID = '20ad20ad-0000-4000-8000-000000000000';

/** For readers that may not parse what they read, such as the benchmark's relays: the body ends with the call. */
export interface RelaySettings {
  /** Blocks that are sent together. */
  readonly blocksAtATime: number;
}

/** Size and checksum of bytes. */
export interface Sum {
  readonly bytes: number;
  /** CRC-32. */
  readonly crc: number;
}

/** One GetMedia body. */
interface Body {
  readonly socket: Socket;
  /** Index of the next block to send. */
  next: number;
}

/** Totals of a call on its stream. */
export interface CallTotals {
  readonly call: number;
  /** Blocks per track that were spoken, and how many of them the stream lost. */
  readonly blocks: number;
  readonly lostBlocks: number;
  /** GetMedia connections that were answered. */
  readonly connections: number;
  /** True once a connection has delivered the whole call and the next contact. */
  readonly isOver: boolean;
  /** What relays were sent. */
  readonly sent: Sum;
}

/** One call on its stream. Nothing is stored: every block can be generated again. */
export class Caller {
  readonly call: number;
  /** Blocks per track on the stream. */
  blocks = 0;
  #speaker: Speaker | undefined;
  /** When block 0 was put on the stream, by the monotonic clock. */
  #firstAtMs = 0;
  readonly #began = Promise.withResolvers<number>();
  #isHangingUp = false;
  #isOver = false;
  /** Indices of fragments that the stream lost, and the last of them. */
  readonly #lost = new Set<number>();
  #lastLost = -1;
  #connections = 0;
  #isHandedOver = false;
  readonly #bodies = new Set<Body>();
  readonly #tagPlace: TagPlace;
  readonly #relays: RelaySettings | undefined;
  #sent: Sum = { bytes: 0, crc: 0 };

  constructor(call: number, tagPlace: TagPlace, relays?: RelaySettings) {
    this.call = call;
    this.#tagPlace = tagPlace;
    this.#relays = relays;
  }

  /** Resolves with when the audio begins, in epoch ms, once its first block is on the stream. */
  get began(): Promise<number> {
    return this.#began.promise;
  }

  /** Sends the call from a fragment index on. The response head has already been written to the socket. */
  serve(socket: Socket, fragment: number): void {
    const body = { socket, next: fragment * BLOCKS_PER_FRAGMENT };
    this.#connections++;
    this.#bodies.add(body);
    socket.once('close', () => this.#bodies.delete(body));
    socket.on('drain', () => this.#pump(body));
    this.#pump(body);
  }

  /** Puts the next block on the stream and sends it to all readers. Called every 64 ms. */
  say(): void {
    if (this.#isOver) return;
    const nowMs = monotonicMs();
    if (!this.#speaker) {
      const beganAtEpochMs = Date.now() - BLOCK_MS;
      const contactId = contactIdOf(this.call);
      this.#speaker = { call: this.call, contactId, beganAtEpochMs, tagPlace: this.#tagPlace };
      this.#firstAtMs = nowMs;
      this.#began.resolve(beganAtEpochMs);
    }
    this.blocks++;
    // A loss at the very end looks like a call that ended earlier.
    const isWhole = this.blocks % BLOCKS_PER_FRAGMENT === 0 && fragmentOf(this.blocks - 1) > this.#lastLost;
    this.#isOver = this.#isHangingUp && isWhole;
    if (!this.#isOver && this.blocks % (this.#relays?.blocksAtATime ?? 1) !== 0) return;
    for (const body of this.#bodies) this.#pump(body, nowMs);
  }

  /** Ends the call after the current fragment; if that is lost, after the next one that is not. */
  hangUp(): void {
    this.#isHangingUp = true;
  }

  /** Ends the open body, properly or as a broken connection. Returns false if there is none. */
  breakOff(properly: boolean): boolean {
    const [body] = this.#bodies;
    if (!body) return false;
    this.#bodies.delete(body);
    if (properly) body.socket.end(LAST_CHUNK);
    else body.socket.destroy();
    return true;
  }

  /** The stream loses the next fragment. Returns false if it is already lost. */
  loseFragment(): boolean {
    // A call that loses its first fragment starts later.
    const next = Math.max(1, Math.ceil(this.blocks / BLOCKS_PER_FRAGMENT));
    if (this.#lost.has(next)) return false;
    this.#lost.add(next);
    this.#lastLost = next;
    return true;
  }

  totals(): CallTotals {
    return {
      call: this.call,
      blocks: this.blocks,
      lostBlocks: this.#lost.size * BLOCKS_PER_FRAGMENT,
      connections: this.#connections,
      isOver: this.#isHandedOver,
      sent: this.#sent,
    };
  }

  /** @param saidAtMs when the last block was put on the stream, if just now */
  #pump(body: Body, saidAtMs?: number): void {
    const { socket } = body;
    if (!this.#speaker || !this.#bodies.has(body)) return;
    if (this.#relays) socket.cork();
    while (body.next < this.blocks && socket.writableLength < HIGH_WATER_BYTES) {
      if (this.#lost.has(fragmentOf(body.next))) {
        body.next++;
        continue;
      }
      const isNow = saidAtMs !== undefined && body.next === this.blocks - 1;
      // After a late first block, this would be in the future.
      const atMs = isNow ? saidAtMs : Math.min(this.#firstAtMs + body.next * BLOCK_MS, monotonicMs());
      this.#write(socket, blockChunk(this.#speaker, body.next, atMs));
      body.next++;
    }
    socket.uncork();
    if (this.#isOver && body.next === this.blocks) this.#giveTheStreamToTheNext(body);
  }

  /** daemon/kinesis/README.md: after a call the same stream carries another contact, which ends the session. */
  #giveTheStreamToTheNext(body: Body): void {
    const speaker = { ...(this.#speaker as Speaker), contactId: NEXT_CONTACT_ID };
    // Enough blocks to recognize the next contact.
    const blocks = this.#tagPlace === 'before' ? 1 : BLOCKS_PER_FRAGMENT;
    for (let i = 0; i < blocks; i++) this.#write(body.socket, blockChunk(speaker, this.blocks + i, monotonicMs()));
    this.#bodies.delete(body);
    this.#isHandedOver = true;
    if (this.#relays) body.socket.end(LAST_CHUNK);
  }

  #write(socket: Socket, chunk: Buffer): void {
    if (this.#relays) {
      const content = contentOf(chunk);
      this.#sent = { bytes: this.#sent.bytes + content.length, crc: crc32(content, this.#sent.crc) };
    }
    socket.write(chunk);
  }
}

function fragmentOf(block: number): number {
  return Math.floor(block / BLOCKS_PER_FRAGMENT);
}
