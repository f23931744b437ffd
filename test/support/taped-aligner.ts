import { Aligner, type Piece } from '../../daemon/audio/aligner.ts';
import { positionOf, ReplayBuffer } from '../../daemon/deepgram/replay-buffer.ts';

/** As much of the call as a session's tape has at least. */
export const TAPE_MS = 2348;

/** An aligner with the tape that a session gives it, on a line that takes everything at once. */
export class TapedAligner extends Aligner {
  readonly #replayBuffer: ReplayBuffer;

  constructor(waitMs: number) {
    const replayBuffer = new ReplayBuffer(0, positionOf(TAPE_MS));
    super(waitMs, replayBuffer);
    this.#replayBuffer = replayBuffer;
  }

  /** A piece that was taken before is not to be looked at any more. */
  override take(longestMs: number): Piece | undefined {
    const piece = super.take(longestMs);
    if (!piece) return undefined;
    this.#replayBuffer.add(piece.pcm, piece.arrivedAtMs);
    while (this.#replayBuffer.take(piece.pcm.length));
    this.#replayBuffer.forget(this.#replayBuffer.sent);
    return piece;
  }
}
