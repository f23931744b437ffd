import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { BYTES_PER_FRAME, BYTES_PER_SAMPLE, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { pcmOf } from '../support/audio-runs.ts';
import { BufferedAligner } from '../support/buffered-aligner.ts';

/** The daemon's default, and the longest piece that session.ts takes. */
const ALIGN_WAIT_MS = 200;
const LONGEST_PIECE_MS = 250;
const LONGEST_PIECE_BYTES = LONGEST_PIECE_MS * SAMPLES_PER_MS * BYTES_PER_FRAME;
const SILENCE = Buffer.alloc(LONGEST_PIECE_BYTES);
/** aligner.ts takes a longer jump forward for a clock that was set, so a block adds at most this much silence. */
const LONGEST_GAP_MS = 10 * 60_000 + 1000;

/** This much of a block identifies it; a shorter block may look like repeated audio. */
const IDENTIFYING_BYTES = 8;

/** A channel's samples other than silence, in and out. */
class Channel {
  readonly out: number[] = [];
  readonly #in: number[] = [];
  #audio: Buffer = Buffer.alloc(0);
  /** Whether a block may be dropped: see `note`. */
  #mayLose = false;
  #hasOddBlock = false;
  #lastMs = -Infinity;
  /** Whether a block may come out before one that came earlier: its time is earlier. */
  #mayMove = false;

  note({ pcm, timeMs }: AudioBlock): void {
    if (timeMs < this.#lastMs) this.#mayMove = true;
    this.#lastMs = timeMs;
    const identifying = pcm.subarray(0, IDENTIFYING_BYTES);
    const isNew =
      identifying.length === IDENTIFYING_BYTES &&
      identifying.some((byte) => byte !== 0) &&
      !this.#audio.includes(Buffer.from(identifying));
    // Repeated audio is dropped (aligner.ts).
    if (!isNew) this.#mayLose = true;
    // A sample that an odd block splits may be lost or changed (track.ts).
    if (pcm.length % BYTES_PER_SAMPLE !== 0) this.#hasOddBlock = true;
    this.#audio = Buffer.concat([this.#audio, pcm]);
    addSound(this.#in, pcm, 0, BYTES_PER_SAMPLE);
  }

  /** What is wrong with the output; undefined when nothing is. */
  fault(): string | undefined {
    if (this.#hasOddBlock) return undefined;
    if (!this.#mayLose && this.out.length !== this.#in.length) {
      return `${this.#in.length} samples went in, ${this.out.length} came out`;
    }
    if (this.#mayMove) for (const samples of [this.#in, this.out]) samples.sort((a, b) => a - b);
    let at = 0;
    for (const sample of this.out) {
      while (at < this.#in.length && this.#in[at] !== sample) at++;
      if (at++ >= this.#in.length) return `a sample came out that did not go in, or in another place: ${sample}`;
    }
    return undefined;
  }
}

/** Adds every sample other than silence from `from` on, `stride` bytes apart. */
function addSound(samples: number[], pcm: Uint8Array, from: number, stride: number): void {
  for (let at = from; at + 1 < pcm.length; at += stride) {
    const sample = (pcm[at] as number) + 256 * (pcm[at + 1] as number);
    if (sample !== 0) samples.push(sample);
  }
}

/** An aligner that is used as a session uses it, with a check of its output. */
export class CheckedAligner {
  readonly #aligner = new BufferedAligner(ALIGN_WAIT_MS);
  readonly #channels = [new Channel(), new Channel()] as const;
  #adds = 0;
  #blocks = 0;
  #audioMs = 0;

  /** Adds the blocks of one read, and takes all settled pieces. */
  add(blocks: readonly AudioBlock[]): void {
    for (const block of blocks) {
      this.#note(block);
      this.#aligner.add(block);
    }
    this.#takeAll();
    // Every other time no block arrives before the next decisions are due.
    if (this.#adds++ % 2 === 1) this.#settle();
  }

  /** Ends the call, takes the rest, and throws when a sample was lost, repeated or moved within its channel. */
  finish(): void {
    this.#aligner.finish();
    this.#takeAll();
    for (const [channel, checked] of this.#channels.entries()) {
      const fault = checked.fault();
      if (fault) throw new Error(`channel ${channel}: ${fault}`);
    }
  }

  #settle(): void {
    let lastMs = -Infinity;
    for (let { dueMs } = this.#aligner; dueMs !== undefined; { dueMs } = this.#aligner) {
      if (!(dueMs > lastMs)) throw new Error(`due at ${dueMs} after ${lastMs}`);
      lastMs = dueMs;
      this.#aligner.settle(dueMs);
      this.#takeAll();
    }
  }

  #note(block: AudioBlock): void {
    const { channel, pcm } = block;
    this.#blocks++;
    this.#audioMs += pcm.length / BYTES_PER_SAMPLE / SAMPLES_PER_MS;
    this.#channels[channel].note(block);
  }

  #takeAll(): void {
    for (let piece = this.#aligner.take(LONGEST_PIECE_MS); piece; piece = this.#aligner.take(LONGEST_PIECE_MS)) {
      const pcm = pcmOf(piece.frames);
      if (pcm.length === 0) throw new Error('an empty piece');
      if (pcm.length > LONGEST_PIECE_BYTES) throw new Error('a piece longer than requested');
      if (piece.arrivedAtMs !== undefined) this.#collect(pcm);
      else if (!SILENCE.subarray(0, pcm.length).equals(pcm)) throw new Error('audio that never arrived');
    }
    const { positionMs, gapMs } = this.#aligner;
    const longestMs = this.#audioMs + this.#blocks * LONGEST_GAP_MS;
    if (!(positionMs <= longestMs))
      throw new Error(`${positionMs} ms out of ${this.#blocks} blocks of ${this.#audioMs} ms`);
    if (!(gapMs >= 0 && gapMs <= positionMs)) throw new Error(`a gap of ${gapMs} ms in ${positionMs} ms of call`);
  }

  #collect(pcm: Uint8Array): void {
    for (const [channel, { out }] of this.#channels.entries()) {
      addSound(out, pcm, channel * BYTES_PER_SAMPLE, BYTES_PER_FRAME);
    }
  }
}
