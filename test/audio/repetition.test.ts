import test from 'ava';
import fc from 'fast-check';
import { createMono, interleave } from '../../daemon/audio/interleave.ts';
import { Track } from '../../daemon/audio/track.ts';
import { AGENT, BYTES_PER_SAMPLE, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { positionOf, ReplayBuffer } from '../../daemon/deepgram/replay-buffer.ts';
import { BUFFER_MS } from '../support/buffered-aligner.ts';
import { bytesOf, distinctSamples } from './tracks.ts';

const KEPT_MS = 2048;
const KEPT_FRAMES = KEPT_MS * SAMPLES_PER_MS;
const BLOCK_FRAMES = 64 * SAMPLES_PER_MS;
const PIECE_FRAMES = 100 * SAMPLES_PER_MS;
/** What the customer says meanwhile. */
const NOTHING = createMono();

/** A track on its buffer, on a line that takes everything at once. */
class TapedTrack {
  readonly #track = new Track(AGENT);
  readonly #samples = createMono();
  readonly #replayBuffer = new ReplayBuffer(0, positionOf(BUFFER_MS));
  #takenFrames = 0;

  /** Adds samples from `startFrame` on; `waitingFrames` of all that there is then are not written to the buffer yet. */
  note(startFrame: number, samples: Uint8Array, waitingFrames = 0): void {
    this.#track.append(startFrame, { channel: AGENT, timeMs: 0, pcm: samples, arrivedAtMs: 0 });
    this.#track.keep();
    while (this.#takenFrames < this.#track.endFrame - waitingFrames) {
      const room = this.#replayBuffer.reserve(
        Math.min(PIECE_FRAMES, this.#track.endFrame - waitingFrames - this.#takenFrames),
      );
      const toFrame = this.#takenFrames + room.length;
      this.#track.read(this.#samples.bytes, this.#takenFrames, toFrame);
      interleave(NOTHING.words, this.#samples.words, room);
      this.#takenFrames = toFrame;
      this.#replayBuffer.commit({ frames: room, arrivedAtMs: 0 });
      while (this.#replayBuffer.take(room.byteLength));
      this.#replayBuffer.forget(this.#replayBuffer.sent);
    }
  }

  repeats(frame: number, samples: Uint8Array): boolean {
    return this.#track.newPart(frame, samples, this.#replayBuffer, this.#takenFrames) !== samples;
  }
}

/** A track's samples, every one of them, silence in its gaps. */
class NaiveTrack {
  readonly #samples: number[] = [];

  note(startFrame: number, samples: Int16Array): void {
    while (this.#samples.length < startFrame) this.#samples.push(0);
    this.#samples.push(...samples);
  }

  get endFrame(): number {
    return this.#samples.length;
  }

  /** Where the two first differ within the track's audio; undefined when they do not. */
  differsAt(frame: number, samples: Int16Array): number | undefined {
    for (let i = 0; i < samples.length && frame + i < this.endFrame; i++) {
      if (this.#samples[frame + i] !== samples[i]) return i;
    }
    return undefined;
  }

  slice(frame: number, length: number): Int16Array {
    return Int16Array.from(this.#samples.slice(frame, frame + length));
  }
}

const samplesFrom = (seed: number, count: number) => distinctSamples(count, seed);

const appends = fc.array(
  fc.record({
    gapFrames: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(40), fc.nat(2 * KEPT_FRAMES)),
    frames: fc.oneof(fc.nat(20), fc.constant(BLOCK_FRAMES), fc.nat(3000), fc.constant(KEPT_FRAMES + 77)),
    isSilent: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    waitingFrames: fc.oneof(fc.constant(0), fc.nat(3000)),
  }),
  { minLength: 1, maxLength: 8 },
);

/** Checks places in tracks with all sorts of audio. */
function lookEverywhere<Look extends { readonly backFrames: number }>(
  look: fc.Arbitrary<Look>,
  check: (track: TapedTrack, naive: NaiveTrack, frame: number, look: Look) => void,
): void {
  fc.assert(
    fc.property(appends, fc.array(look, { maxLength: 5 }), (all, looks) => {
      const { track, naive } = noted(all);
      for (const each of looks) {
        const frame = naive.endFrame - each.backFrames;
        if (frame >= 0) check(track, naive, frame, each);
      }
    }),
    { numRuns: 60 },
  );
}

test('earlier audio of a track is recognized at any position and alignment, across gaps and around the ring', (t) => {
  const look = fc.record({
    backFrames: fc.integer({ min: 1, max: KEPT_FRAMES }),
    frames: fc.integer({ min: 1, max: 3000 }),
    more: fc.nat(500),
  });
  lookEverywhere(look, (track, naive, frame, { frames, more }) => {
    const again = naive.slice(frame, frames);
    const reachesEnd = frame + frames >= naive.endFrame;
    // The track has no audio beyond its end, so nothing there rules out a repetition.
    const samples = reachesEnd ? Int16Array.from([...again, ...samplesFrom(99, more)]) : again;
    t.true(track.repeats(frame, bytesOf(samples)));
  });
});

test('audio that differs in a single sample is different audio', (t) => {
  const look = fc.record({
    backFrames: fc.integer({ min: 1, max: KEPT_FRAMES }),
    frames: fc.integer({ min: 1, max: 1500 }),
    changed: fc.nat(1499),
  });
  lookEverywhere(look, (track, naive, frame, { frames, changed }) => {
    const other = naive.slice(frame, frames);
    const at = changed % other.length;
    other[at] = (other[at] as number) ^ 0x0101;
    t.is(naive.differsAt(frame, other), at);
    t.false(track.repeats(frame, bytesOf(other)));
  });
});

test('other speech at the same place is not taken for a repetition, whatever the alignment', (t) => {
  for (let shift = 0; shift < SAMPLES_PER_MS; shift++) {
    const track = new TapedTrack();
    track.note(shift, bytesOf(samplesFrom(1, BLOCK_FRAMES)));
    t.true(track.repeats(shift, bytesOf(samplesFrom(1, BLOCK_FRAMES))));
    t.false(track.repeats(shift, bytesOf(samplesFrom(2, BLOCK_FRAMES))));
    t.false(track.repeats(shift + 1, bytesOf(samplesFrom(1, BLOCK_FRAMES))), 'the same a sample later');
  }
});

test('however short a block is, it is known again, and one that differs is not', (t) => {
  const track = new TapedTrack();
  const samples = samplesFrom(1, 64);
  track.note(0, bytesOf(samples));
  for (let from = 0; from < 32; from++) {
    for (let length = 1; length < 8; length++) {
      const again = samples.slice(from, from + length);
      t.true(track.repeats(from, bytesOf(again)), `${length} samples from ${from}`);
      again[length - 1] = (again[length - 1] as number) ^ 0x0101;
      t.false(track.repeats(from, bytesOf(again)), `${length} samples from ${from}, the last another`);
    }
  }
});

test('a gap is silence: silence there is a repetition, speech is not', (t) => {
  const track = new TapedTrack();
  track.note(0, bytesOf(samplesFrom(1, BLOCK_FRAMES)));
  track.note(2 * BLOCK_FRAMES, bytesOf(samplesFrom(2, BLOCK_FRAMES)));
  t.true(track.repeats(BLOCK_FRAMES, new Uint8Array(BLOCK_FRAMES * BYTES_PER_SAMPLE)));
  t.false(track.repeats(BLOCK_FRAMES, bytesOf(samplesFrom(1, BLOCK_FRAMES))));
});

test('audio outside of the track’s past, or of its kept part, is new', (t) => {
  const track = new TapedTrack();
  const one = bytesOf(samplesFrom(1, BLOCK_FRAMES));
  const bufferFrames = BUFFER_MS * SAMPLES_PER_MS;
  t.false(track.repeats(0, one), 'nothing yet');
  track.note(0, bytesOf(samplesFrom(1, 2 * bufferFrames)));
  t.false(track.repeats(-1, one));
  t.false(track.repeats(2 * bufferFrames, one));
  const kept = bytesOf(samplesFrom(1, 2 * bufferFrames).slice(bufferFrames - 1));
  t.true(track.repeats(bufferFrames, kept.subarray(BYTES_PER_SAMPLE)), 'as far back as it goes');
  t.false(track.repeats(bufferFrames - 1, kept), 'a sample further');
});

test('half a sample at the end of a block does not tell against it', (t) => {
  const track = new TapedTrack();
  const bytes = bytesOf(samplesFrom(1, BLOCK_FRAMES));
  track.note(0, bytes);
  for (const odd of [bytes.subarray(0, -1), bytes.subarray(0, 101), Uint8Array.of(...bytes, 7)]) {
    t.true(track.repeats(0, odd), `${odd.length} bytes`);
  }
});

/** Both after the same appends. */
function noted(all: readonly { gapFrames: number; frames: number; isSilent: boolean; waitingFrames: number }[]) {
  const track = new TapedTrack();
  const naive = new NaiveTrack();
  for (const [i, { gapFrames, frames, isSilent, waitingFrames }] of all.entries()) {
    const samples = isSilent ? new Int16Array(frames) : samplesFrom(i + 1, frames);
    const startFrame = naive.endFrame + gapFrames;
    track.note(startFrame, bytesOf(samples), waitingFrames);
    naive.note(startFrame, samples);
  }
  return { track, naive };
}
