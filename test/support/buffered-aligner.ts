import { Aligner } from '../../daemon/audio/aligner.ts';
import type { AudioRun } from '../../daemon/audio/audio-run.ts';
import { positionOf, ReplayBuffer } from '../../daemon/deepgram/replay-buffer.ts';

/** The least that a session's call buffer holds. */
export const BUFFER_MS = 2168;

/** An aligner with a session's buffer, on a link that sends everything immediately. */
export class BufferedAligner extends Aligner {
  readonly #replayBuffer: ReplayBuffer;

  constructor(waitMs: number, from?: ConstructorParameters<typeof Aligner>[2]) {
    const replayBuffer = new ReplayBuffer(positionOf(from?.callMs ?? 0), positionOf(BUFFER_MS));
    super(waitMs, replayBuffer, from);
    this.#replayBuffer = replayBuffer;
  }

  /** Runs taken before are no longer valid. */
  override take(longestMs: number): AudioRun | undefined {
    const run = super.take(longestMs);
    if (!run) return undefined;
    this.#replayBuffer.commit(run);
    while (this.#replayBuffer.take(run.frames.byteLength));
    this.#replayBuffer.forget(this.#replayBuffer.sent);
    return run;
  }
}
