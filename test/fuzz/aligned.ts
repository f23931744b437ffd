import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { BYTES_PER_FRAME, BYTES_PER_SAMPLE, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { TapedAligner } from '../support/taped-aligner.ts';

/** As the daemon sets it by default, and as session.ts takes pieces. */
const ALIGN_WAIT_MS = 200;
const LONGEST_PIECE_MS = 250;
const LONGEST_PIECE_BYTES = LONGEST_PIECE_MS * SAMPLES_PER_MS * BYTES_PER_FRAME;
const SILENCE = Buffer.alloc(LONGEST_PIECE_BYTES);
/** aligner.ts: a longer jump forward is a clock that was set, so a block adds at most this much silence before it. */
const LONGEST_GAP_MS = 10 * 60_000;

/** Samples of a block that tell it from all others: too short ones may look like audio that comes again. */
const TELLING_BYTES = 8;

/** A channel's samples that are not silence, as they went in and as they came out. */
class Channel {
  readonly out: number[] = [];
  readonly #in: number[] = [];
  #heard: Buffer = Buffer.alloc(0);
  /** Whether some block may rightly be left out or lose a sample: see `note`. */
  #mayLose = false;
  #hasOddBlock = false;

  note(pcm: Uint8Array): void {
    const telling = pcm.subarray(0, TELLING_BYTES);
    const isNew =
      telling.length === TELLING_BYTES &&
      telling.some((byte) => byte !== 0) &&
      !this.#heard.includes(Buffer.from(telling));
    // Audio that comes again is left out (aligner.ts).
    if (!isNew) this.#mayLose = true;
    // A sample that an odd block has cut in two may be lost, and is another one when it is not (track.ts).
    if (pcm.length % BYTES_PER_SAMPLE !== 0) this.#hasOddBlock = true;
    this.#heard = Buffer.concat([this.#heard, pcm]);
    addSpoken(this.#in, pcm, 0, BYTES_PER_SAMPLE);
  }

  /** What is wrong with what came out; undefined when nothing is. */
  fault(): string | undefined {
    if (this.#hasOddBlock) return undefined;
    if (!this.#mayLose && this.out.length !== this.#in.length) {
      return `${this.#in.length} samples went in, ${this.out.length} came out`;
    }
    let at = 0;
    for (const sample of this.out) {
      while (at < this.#in.length && this.#in[at] !== sample) at++;
      if (at++ >= this.#in.length) return `a sample came out that did not go in, or not there: ${sample}`;
    }
    return undefined;
  }
}

/** Adds every sample from `from` on, `stride` bytes apart, that is not silence. */
function addSpoken(samples: number[], pcm: Uint8Array, from: number, stride: number): void {
  for (let at = from; at + 1 < pcm.length; at += stride) {
    const sample = (pcm[at] as number) + 256 * (pcm[at + 1] as number);
    if (sample !== 0) samples.push(sample);
  }
}

/** An aligner that is taken from after each reading, as a session does, and checked by what comes out. */
export class CheckedAligner {
  readonly #aligner = new TapedAligner(ALIGN_WAIT_MS);
  readonly #channels = [new Channel(), new Channel()] as const;
  #blocks = 0;
  #audioMs = 0;

  /** Adds what one reading gave, and takes what is settled. */
  add(blocks: readonly AudioBlock[]): void {
    for (const block of blocks) {
      this.#note(block);
      this.#aligner.add(block);
    }
    this.#takeAll();
  }

  /** Ends the call, takes the rest, and throws when a sample was lost, doubled or moved within its channel. */
  finish(): void {
    this.#aligner.finish();
    this.#takeAll();
    for (const [channel, checked] of this.#channels.entries()) {
      const fault = checked.fault();
      if (fault) throw new Error(`channel ${channel}: ${fault}`);
    }
  }

  #note({ channel, pcm }: AudioBlock): void {
    this.#blocks++;
    this.#audioMs += pcm.length / BYTES_PER_SAMPLE / SAMPLES_PER_MS;
    this.#channels[channel].note(pcm);
  }

  #takeAll(): void {
    for (let piece = this.#aligner.take(LONGEST_PIECE_MS); piece; piece = this.#aligner.take(LONGEST_PIECE_MS)) {
      const { pcm } = piece;
      if (pcm.length === 0 || pcm.length % BYTES_PER_FRAME !== 0) throw new Error(`a piece of ${pcm.length} bytes`);
      if (pcm.length > LONGEST_PIECE_BYTES) throw new Error('a piece longer than asked for');
      if (piece.arrivedAtMs !== undefined) this.#hear(pcm);
      else if (!SILENCE.subarray(0, pcm.length).equals(pcm)) throw new Error('audio that never arrived');
    }
    const { positionMs, holeMs } = this.#aligner;
    const longestMs = this.#audioMs + this.#blocks * LONGEST_GAP_MS;
    if (!(positionMs <= longestMs))
      throw new Error(`${positionMs} ms out of ${this.#blocks} blocks of ${this.#audioMs} ms`);
    if (!(holeMs >= 0 && holeMs <= positionMs)) throw new Error(`a hole of ${holeMs} ms in ${positionMs} ms of call`);
  }

  #hear(pcm: Uint8Array): void {
    for (const [channel, { out }] of this.#channels.entries()) {
      addSpoken(out, pcm, channel * BYTES_PER_SAMPLE, BYTES_PER_FRAME);
    }
  }
}
