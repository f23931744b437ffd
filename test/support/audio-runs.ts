import type { AudioRun } from '../../daemon/audio/audio-run.ts';
import type { CallBuffer } from '../../daemon/audio/call-buffer.ts';
import { BYTES_PER_FRAME } from '../../daemon/contract/audio-format.ts';

/**
 * Writes audio (whole frames) to a call's buffer, as the aligner does. Yields a run for each reserved room; each must be
 * committed before the next.
 */
export function* runsOf(
  buffer: CallBuffer,
  pcm: Uint8Array,
  arrivedAtMs: number | undefined,
): Generator<AudioRun, void, void> {
  for (let done = 0; done < pcm.length; ) {
    const room = buffer.reserve((pcm.length - done) / BYTES_PER_FRAME);
    const run = pcmOf(room);
    run.set(pcm.subarray(done, done + run.length));
    done += run.length;
    yield { frames: room, arrivedAtMs };
  }
}

/** The bytes of a run's frames: a view. */
export function pcmOf({ buffer, byteOffset, byteLength }: Int32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
