import { BYTES_PER_FRAME, type Channel } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import { positionOf } from './replay-buffer.ts';

/** Loudness is measured over 20 ms, as in speech codecs. */
const PIECE_MS: Millis = 20;
const PIECE_BYTES = positionOf(PIECE_MS);
/** Every fourth frame is enough to measure loudness. */
const STEP = 4;
/** Shifts that move a channel's sample from its half of a frame to the top: one to the right then gives its value. */
const CUSTOMER_SHIFT = 16;
const AGENT_SHIFT = 0;
/**
 * The mean of absolute samples, of 32767, above which a piece is loud: 56 dB below full scale. Whatever Deepgram could
 * find a word in is louder; a line that is noisier counts as speech, which costs only repeated audio.
 */
const LOUD_MEAN = 50;
const LOUD_SUM = (LOUD_MEAN * PIECE_BYTES) / BYTES_PER_FRAME / STEP;
/** A shorter noise is a click: no word is that short. */
const LEAST_LOUD_PIECES = 3;
/** Both channels are quiet for this long in a pause. */
const PAUSE_PIECES = 5;
const FIRST_CAPACITY = 1024;

/**
 * Where in the call each channel was loud, in pieces of 20 ms. It costs a few operations per ms of audio, and a byte per
 * piece for as long as the audio is not forgotten. Positions are bytes of the call.
 */
export class SpeechLevels {
  /** A ring: bit 0 is set where the customer is loud, bit 1 where the agent is. */
  #loud = new Uint8Array(FIRST_CAPACITY);
  #fromPiece: number;
  #endPiece: number;
  /** Audio before this is in the sums of the incomplete piece. */
  #position: number;
  #customerSum = 0;
  #agentSum = 0;

  /** @param start where in the call the audio begins */
  constructor(start: number) {
    this.#position = start;
    this.#fromPiece = Math.floor(start / PIECE_BYTES);
    this.#endPiece = this.#fromPiece;
  }

  /** Takes the next audio of the call. */
  add(frames: Int32Array): void {
    for (let at = 0; at < frames.length; ) {
      const left = (PIECE_BYTES - (this.#position % PIECE_BYTES)) / BYTES_PER_FRAME;
      const end = Math.min(frames.length, at + left);
      this.#customerSum = sumOf(frames, at, end, CUSTOMER_SHIFT, this.#customerSum);
      this.#agentSum = sumOf(frames, at, end, AGENT_SHIFT, this.#agentSum);
      this.#position += (end - at) * BYTES_PER_FRAME;
      at = end;
      if (this.#position % PIECE_BYTES === 0) this.#endOfPiece();
    }
  }

  /** Where speech begins on a channel at or after a position; the end of the audio if there is none. */
  speechFrom(channel: Channel, position: number): number {
    const bit = 1 << channel;
    const first = Math.max(this.#fromPiece, Math.floor(position / PIECE_BYTES));
    for (let piece = first; piece < this.#endPiece; piece++) {
      if (!(this.#at(piece) & bit)) continue;
      const enough = Math.min(piece + LEAST_LOUD_PIECES, this.#endPiece);
      let end = piece + 1;
      while (end < enough && this.#at(end) & bit) end++;
      // Loud audio at the end may continue.
      if (end === enough) return Math.max(position, piece * PIECE_BYTES);
      piece = end;
    }
    return Math.max(position, this.#endPiece * PIECE_BYTES);
  }

  /** For how long a channel is loud in [from, to). */
  loudMs(channel: Channel, from: number, to: number): Millis {
    const bit = 1 << channel;
    const end = Math.min(this.#endPiece, Math.ceil(to / PIECE_BYTES));
    let pieces = 0;
    for (let piece = Math.max(this.#fromPiece, Math.floor(from / PIECE_BYTES)); piece < end; piece++)
      if (this.#at(piece) & bit) pieces++;
    return pieces * PIECE_MS;
  }

  /** The latest moment in [from, to] in a pause of both channels; undefined if there is none. */
  pauseWithin(from: number, to: number): number | undefined {
    let quiet = 0;
    const first = Math.max(this.#fromPiece, Math.floor(from / PIECE_BYTES));
    for (let piece = Math.min(this.#endPiece, Math.floor(to / PIECE_BYTES)) - 1; piece >= first; piece--) {
      quiet = this.#at(piece) === 0 ? quiet + 1 : 0;
      if (quiet === PAUSE_PIECES) return (piece + Math.ceil(PAUSE_PIECES / 2)) * PIECE_BYTES;
    }
    return undefined;
  }

  /** Discards everything before a position. */
  forget(position: number): void {
    this.#fromPiece = Math.max(this.#fromPiece, Math.min(this.#endPiece, Math.floor(position / PIECE_BYTES)));
  }

  #at(piece: number): number {
    return this.#loud[piece % this.#loud.length] as number;
  }

  #endOfPiece(): void {
    if (this.#endPiece - this.#fromPiece === this.#loud.length) this.#grow();
    const loud = (this.#customerSum > LOUD_SUM ? 1 : 0) | (this.#agentSum > LOUD_SUM ? 2 : 0);
    this.#loud[this.#endPiece % this.#loud.length] = loud;
    this.#endPiece++;
    this.#customerSum = 0;
    this.#agentSum = 0;
  }

  #grow(): void {
    const loud = new Uint8Array(this.#loud.length * 2);
    for (let piece = this.#fromPiece; piece < this.#endPiece; piece++) loud[piece % loud.length] = this.#at(piece);
    this.#loud = loud;
  }
}

/** Adds a channel's samples until it is loud for sure, which speech is after a few. */
function sumOf(frames: Int32Array, from: number, end: number, shift: number, before: number): number {
  let sum = before;
  for (let at = from; at < end && sum <= LOUD_SUM; at += STEP) sum += Math.abs(((frames[at] as number) << shift) >> 16);
  return sum;
}
