import { monotonicMs, msSince } from './monotonic.ts';
import { ABNORMAL_CLOSURE, type Brought, type Reconnect, reconnectsOf } from './reconnects.ts';
import {
  patternOf,
  readMark,
  STEREO_BLOCK_BYTES,
  STEREO_BYTES_PER_MS,
  STEREO_MARK_BYTES,
  stereoPattern,
} from './sound.ts';
import { type Masked, unmask } from './ws-frames.ts';

/** Told of each block that arrives whole for the first time. */
export type OnBlock = (lagMs: number) => void;

/** What came of a call, told once nothing more will. */
export interface HeardFigures {
  readonly call: number;
  /** What came, what came twice included. */
  readonly receivedMs: number;
  /** Call time of which both tracks did not arrive, up to the call's end. */
  readonly holeMs: number;
  /** Blocks with something else in them than the call said, or at another place. */
  readonly wrongBlocks: number;
  /** Call time beyond the call's end. */
  readonly surplusMs: number;
  /** Blocks that came again after a reconnect. */
  readonly repeatedBlocks: number;
  /** Up to where in the call audio came. */
  readonly reachedMs: number;
  readonly reconnects: readonly Reconnect[];
  /** Whether every byte was compared, and not the marks alone. */
  readonly isVerified: boolean;
}

const UNKNOWN = 0;
const HEARD = 1;
const SILENT = 2;
type Hearing = typeof UNKNOWN | typeof HEARD | typeof SILENT;

/** A call as Deepgram hears it, over all of its connections. */
export class HeardCall {
  readonly call: number;
  readonly isVerified: boolean;
  /** First to last. */
  readonly connections: Ear[] = [];
  /** Bytes received, those that came again included. */
  bytes = 0;
  /** Up to where in the call bytes came, and how many before that did not. */
  #reached = 0;
  #gapBytes = 0;
  /** Per block what was heard of it. */
  readonly #blocks: Hearing[] = [];
  #silentBlocks = 0;
  #wrongBlocks = 0;
  #repeatedBlocks = 0;
  #awaited: { bytes: number; resolve: () => void } | undefined;
  readonly #onBlock: OnBlock;

  constructor(call: number, isVerified: boolean, onBlock: OnBlock) {
    this.call = call;
    this.isVerified = isVerified;
    this.#onBlock = onBlock;
  }

  /** Resolves once so much audio has come, whatever it is. */
  received(audioMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { bytes: audioMs * STEREO_BYTES_PER_MS, resolve };
    this.#tellAwaited();
    return promise;
  }

  /** Bytes came that stand at `from` to `to` of the call. */
  cover(from: number, to: number): void {
    this.bytes += to - from;
    if (from > this.#reached) this.#gapBytes += from - this.#reached;
    this.#reached = Math.max(this.#reached, to);
    if (this.#awaited) this.#tellAwaited();
  }

  /** A block came whole: as the call said it, as silence in the place of one track or both, or as something else. */
  take(block: number, hearing: 'heard' | 'silent' | 'wrong', saidAtTicks: number, nowMs: number): void {
    const before = this.#blocks[block] ?? UNKNOWN;
    if (hearing === 'wrong') this.#wrongBlocks++;
    else if (hearing === 'silent') {
      if (before !== UNKNOWN) return;
      this.#blocks[block] = SILENT;
      this.#silentBlocks++;
    } else if (before === HEARD) this.#repeatedBlocks++;
    else {
      if (before === SILENT) this.#silentBlocks--;
      this.#blocks[block] = HEARD;
      this.#onBlock(msSince(saidAtTicks, nowMs));
    }
  }

  /** @param blocks how many the call had */
  figures(blocks: number): HeardFigures {
    const expected = blocks * STEREO_BLOCK_BYTES;
    const missing = this.#gapBytes + Math.max(0, expected - this.#reached) + this.#silentBlocks * STEREO_BLOCK_BYTES;
    return {
      call: this.call,
      receivedMs: this.bytes / STEREO_BYTES_PER_MS,
      holeMs: missing / STEREO_BYTES_PER_MS,
      wrongBlocks: this.#wrongBlocks,
      surplusMs: Math.max(0, this.#reached - expected) / STEREO_BYTES_PER_MS,
      repeatedBlocks: this.#repeatedBlocks,
      reachedMs: this.#reached / STEREO_BYTES_PER_MS,
      reconnects: reconnectsOf(this.connections),
      isVerified: this.isVerified,
    };
  }

  #tellAwaited(): void {
    if (!this.#awaited || this.bytes < this.#awaited.bytes) return;
    this.#awaited.resolve();
    this.#awaited = undefined;
  }
}

/** One connection's audio: finds the marks, and compares all bytes of a call that is verified. */
export class Ear implements Brought {
  /** How the connection ended, as its other end sees it: who closes it properly says so. */
  closeCode = ABNORMAL_CLOSURE;
  readonly #heard: HeardCall;
  /** Where in the call the connection begins, and where the next byte stands. */
  readonly #start: number;
  #position: number;
  readonly #mark = Buffer.alloc(STEREO_MARK_BYTES);
  /** A connection may begin in the middle of a block: that one is not looked at. */
  #hasBegun = false;
  /** The block at hand without its mark, of a call that is verified. */
  readonly #plain: Buffer;

  /** @param offsetMs where in the call the connection begins */
  constructor(heard: HeardCall, offsetMs: number) {
    this.#heard = heard;
    this.#start = offsetMs * STEREO_BYTES_PER_MS;
    this.#position = this.#start;
    this.#plain = Buffer.alloc(heard.isVerified ? STEREO_BLOCK_BYTES : 0);
    heard.connections.push(this);
  }

  get fromMs(): number {
    return this.#start / STEREO_BYTES_PER_MS;
  }

  get toMs(): number {
    return this.#position / STEREO_BYTES_PER_MS;
  }

  /** Audio of this connection so far. */
  get receivedMs(): number {
    return this.toMs - this.fromMs;
  }

  take(stretch: Masked): void {
    const { bytes, mask, to } = stretch;
    let { from, phase } = stretch;
    this.#heard.cover(this.#position, this.#position + to - from);
    while (from < to) {
      const inBlock = this.#position % STEREO_BLOCK_BYTES;
      const isMark = inBlock < STEREO_MARK_BYTES;
      const length = Math.min(to - from, (isMark ? STEREO_MARK_BYTES : STEREO_BLOCK_BYTES) - inBlock);
      if (inBlock === 0) this.#hasBegun = true;
      const part = { bytes, from, to: from + length, mask, phase };
      if (isMark) unmask(part, this.#mark, inBlock);
      else if (this.#heard.isVerified) unmask(part, this.#plain, inBlock);
      from += length;
      phase = (phase + length) & 3;
      this.#position += length;
      if (inBlock + length === STEREO_BLOCK_BYTES && this.#hasBegun) this.#blockEnded();
    }
  }

  #blockEnded(): void {
    const { call, isVerified } = this.#heard;
    const block = this.#position / STEREO_BLOCK_BYTES - 1;
    const customer = readMark(this.#mark, 0);
    const agent = readMark(this.#mark, 1);
    if (customer === 'silence' || agent === 'silence') {
      this.#heard.take(block, 'silent', 0, 0);
      return;
    }
    const isRight =
      customer !== 'wrong' &&
      agent !== 'wrong' &&
      [customer, agent].every((mark) => mark.call === call && mark.block === block) &&
      (!isVerified || this.#isAsSaid(block));
    if (isRight) this.#heard.take(block, 'heard', customer.saidAtTicks, monotonicMs());
    else this.#heard.take(block, 'wrong', 0, 0);
  }

  #isAsSaid(block: number): boolean {
    const said = stereoPattern(patternOf(this.#heard.call, block));
    return this.#plain.compare(said, STEREO_MARK_BYTES, STEREO_BLOCK_BYTES, STEREO_MARK_BYTES) === 0;
  }
}
