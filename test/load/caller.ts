import type { Socket } from 'node:net';
import { crc32 } from 'node:zlib';
import { BLOCKS_PER_FRAGMENT, blockChunk, contentOf, LAST_CHUNK, type Speaker } from './fragments.ts';
import { contactIdOf } from './identity.ts';
import { monotonicMs } from './monotonic.ts';
import { BLOCK_MS } from './sound.ts';

/** What a connection may hold that the daemon has not taken, 2 s of a call: the rest stays in the stream. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Nobody of this run: who uses the stream after a call. */
const NEXT_CONTACT_ID = '20ad20ad-0000-4000-8000-000000000000';

/** For readers that do not parse what they read, as the benchmark's relays: their body ends with the call. */
export interface RelaySettings {
  /** So many blocks are sent at a time. */
  readonly blocksAtATime: number;
}

/** The bytes of a body so far. */
export interface Sum {
  readonly bytes: number;
  /** CRC-32 of them all. */
  readonly crc: number;
}

/** One GetMedia body. */
interface Body {
  readonly socket: Socket;
  /** The next block to send. */
  next: number;
}

/** What has come of a call on its stream. */
export interface CallTotals {
  readonly call: number;
  /** Blocks of each track that were said, and how many of them the stream lost. */
  readonly blocks: number;
  readonly lostBlocks: number;
  /** GetMedia connections that were answered. */
  readonly connections: number;
  /** Whether a connection has brought the next contact on the stream, after all of the call. */
  readonly isOver: boolean;
  /** Of what relays were sent. */
  readonly sent: Sum;
}

/** One call on its stream. Nothing of it is stored: every block can be made again at any time. */
export class Caller {
  readonly call: number;
  /** Blocks that are on the stream, of each track. */
  blocks = 0;
  #speaker: Speaker | undefined;
  /** When block 0 was put on the stream, by the monotonic clock. */
  #firstAtMs = 0;
  #isHangingUp = false;
  #isOver = false;
  /** Fragments, counted from 0, that the stream does not have, and the last of them. */
  readonly #lost = new Set<number>();
  #lastLost = -1;
  #connections = 0;
  #isHandedOver = false;
  readonly #bodies = new Set<Body>();
  readonly #relays: RelaySettings | undefined;
  #sent: Sum = { bytes: 0, crc: 0 };

  constructor(call: number, relays?: RelaySettings) {
    this.call = call;
    this.#relays = relays;
  }

  /** Sends the call to a socket whose response head is out, from a fragment (counted from 0) on. */
  serve(socket: Socket, fragment: number): void {
    const body = { socket, next: fragment * BLOCKS_PER_FRAGMENT };
    this.#connections++;
    this.#bodies.add(body);
    socket.once('close', () => this.#bodies.delete(body));
    socket.on('drain', () => this.#pump(body));
    this.#pump(body);
  }

  /** Puts the next block on the stream and sends it to all who read. To be called every 64 ms. */
  say(): void {
    if (this.#isOver) return;
    const nowMs = monotonicMs();
    if (!this.#speaker) {
      const beganAtEpochMs = Date.now() - BLOCK_MS;
      this.#speaker = { call: this.call, contactId: contactIdOf(this.call), beganAtEpochMs };
      this.#firstAtMs = nowMs;
    }
    this.blocks++;
    // What is lost at a call's very end cannot be told from a call that ended sooner.
    const isWhole = this.blocks % BLOCKS_PER_FRAGMENT === 0 && fragmentOf(this.blocks - 1) > this.#lastLost;
    this.#isOver = this.#isHangingUp && isWhole;
    if (!this.#isOver && this.blocks % (this.#relays?.blocksAtATime ?? 1) !== 0) return;
    for (const body of this.#bodies) this.#pump(body, nowMs);
  }

  /** Ends the call with the fragment that is on the air, or with one after those that are lost. */
  hangUp(): void {
    this.#isHangingUp = true;
  }

  /** Ends the body that is read: properly, as Kinesis does at times, or as a network that breaks. False if there is none. */
  breakOff(properly: boolean): boolean {
    const [body] = this.#bodies;
    if (!body) return false;
    this.#bodies.delete(body);
    if (properly) body.socket.end(LAST_CHUNK);
    else body.socket.destroy();
    return true;
  }

  /** The next fragment to begin never gets to the stream. False if that is so already. */
  loseFragment(): boolean {
    // A call whose beginning is lost begins later.
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

  /** @param saidAtMs when the block on the stream's end was put there, if just now */
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
      // A call whose first block was late is ahead of that by as much.
      const atMs = isNow ? saidAtMs : Math.min(this.#firstAtMs + body.next * BLOCK_MS, monotonicMs());
      this.#write(socket, blockChunk(this.#speaker, body.next, atMs));
      body.next++;
    }
    socket.uncork();
    if (this.#isOver && body.next === this.blocks) this.#giveTheStreamToTheNext(body);
  }

  /** daemon/kinesis/README.md: after a call the same stream carries another caller's audio; that is how its end shows. */
  #giveTheStreamToTheNext(body: Body): void {
    const speaker = { ...(this.#speaker as Speaker), contactId: NEXT_CONTACT_ID };
    this.#write(body.socket, blockChunk(speaker, this.blocks, monotonicMs()));
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
