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

/** Called for each complete block that arrives for the first time. */
type OnBlock = (lagMs: number) => void;

/** Final figures of a call. */
export interface HeardFigures {
  readonly call: number;
  /** Audio received, including repeats. */
  readonly receivedMs: number;
  /** Call time that did not arrive on both tracks. */
  readonly gapMs: number;
  /** Blocks with wrong audio, or at the wrong position. */
  readonly wrongBlocks: number;
  /** Audio after the call's end. */
  readonly surplusMs: number;
  /** Blocks that were sent again after a reconnect. */
  readonly repeatedBlocks: number;
  /** Position in the call that the audio reached. */
  readonly reachedMs: number;
  readonly reconnects: readonly Reconnect[];
  /** Whether every byte was compared, not only the marks. */
  readonly isVerified: boolean;
}

const UNKNOWN = 0;
const HEARD = 1;
const SILENT = 2;
type Hearing = typeof UNKNOWN | typeof HEARD | typeof SILENT;

/** A call as Deepgram receives it, over all its connections. */
export class HeardCall {
  readonly call: number;
  readonly isVerified: boolean;
  /** In order. */
  readonly connections: Ear[] = [];
  /** Bytes received, including repeats. */
  bytes = 0;
  /** Position that the audio reached, and bytes missing before it. */
  #reached = 0;
  #gapBytes = 0;
  /** State of each block. */
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

  /** Resolves once this much audio has arrived. */
  received(audioMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { bytes: audioMs * STEREO_BYTES_PER_MS, resolve };
    this.#tellAwaited();
    return promise;
  }

  /** Bytes `from` to `to` of the call arrived. */
  cover(from: number, to: number): void {
    this.bytes += to - from;
    if (from > this.#reached) this.#gapBytes += from - this.#reached;
    this.#reached = Math.max(this.#reached, to);
    if (this.#awaited) this.#tellAwaited();
  }

  /** A complete block arrived: with the call's audio, with silence on a track, or with something else. */
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

  /** @param blocks number of blocks in the call */
  figures(blocks: number): HeardFigures {
    const expected = blocks * STEREO_BLOCK_BYTES;
    const missing = this.#gapBytes + Math.max(0, expected - this.#reached) + this.#silentBlocks * STEREO_BLOCK_BYTES;
    return {
      call: this.call,
      receivedMs: this.bytes / STEREO_BYTES_PER_MS,
      gapMs: missing / STEREO_BYTES_PER_MS,
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

/** One connection's audio. Reads the marks; compares every byte of a verified call. */
export class Ear implements Brought {
  /** The close code that the client sees. */
  closeCode = ABNORMAL_CLOSURE;
  readonly #heard: HeardCall;
  /** Positions in the call: of the connection's first byte, and of the next byte. */
  readonly #start: number;
  #position: number;
  readonly #mark = Buffer.alloc(STEREO_MARK_BYTES);
  /** A connection may start in the middle of a block, which is then ignored. */
  #hasBegun = false;
  /** The current block of a verified call. */
  readonly #plain: Buffer;

  /** @param offsetMs position in the call at which the connection starts */
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

  /** Audio received on this connection. */
  get receivedMs(): number {
    return this.toMs - this.fromMs;
  }

  take(run: Masked): void {
    const { bytes, mask, to } = run;
    let { from, phase } = run;
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
