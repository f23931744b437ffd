import { Aligner, type Piece } from '../../daemon/audio/aligner.ts';
import { Outbox, positionOf } from '../../daemon/deepgram/replay-buffer.ts';

/** As much of the call as a session's tape has at least. */
export const TAPE_MS = 2348;

/** An aligner with the tape that a session gives it, on a line that takes everything at once. */
export class TapedAligner extends Aligner {
  readonly #outbox: Outbox;

  constructor(waitMs: number) {
    const outbox = new Outbox(0, positionOf(TAPE_MS));
    super(waitMs, outbox);
    this.#outbox = outbox;
  }

  /** A piece that was taken before is not to be looked at any more. */
  override take(longestMs: number): Piece | undefined {
    const piece = super.take(longestMs);
    if (!piece) return undefined;
    this.#outbox.add(piece.pcm, piece.arrivedAtMs);
    while (this.#outbox.take(piece.pcm.length));
    this.#outbox.forget(this.#outbox.sent);
    return piece;
  }
}
