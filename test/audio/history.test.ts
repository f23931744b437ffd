import test from 'ava';
import fc from 'fast-check';
import { History } from '../../daemon/audio/history.ts';
import { BYTES_PER_SAMPLE, SAMPLES_PER_MS } from '../../daemon/audio/pcm.ts';
import { bytesOf, distinctSamples } from './tracks.ts';

const KEPT_MS = 2048;
const KEPT_FRAMES = KEPT_MS * SAMPLES_PER_MS;
const BLOCK_FRAMES = 64 * SAMPLES_PER_MS;

/** A track's samples, every one of them, silence in its gaps. */
class NaiveHistory {
  readonly #samples: number[] = [];

  note(startFrame: number, samples: Int16Array): void {
    while (this.#samples.length < startFrame) this.#samples.push(0);
    this.#samples.push(...samples);
  }

  get endFrame(): number {
    return this.#samples.length;
  }

  /** Where the two differ first, of what the track has had; undefined when they do not. */
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
  }),
  { minLength: 1, maxLength: 8 },
);

test('what a track has had is recognised at any place and alignment, across gaps and round the ring', (t) => {
  const look = fc.record({
    backFrames: fc.integer({ min: 1, max: KEPT_FRAMES }),
    frames: fc.nat(3000),
    more: fc.nat(500),
  });
  fc.assert(
    fc.property(appends, fc.array(look, { maxLength: 5 }), (all, looks) => {
      const { history, naive } = noted(all);
      for (const { backFrames, frames, more } of looks) {
        const frame = naive.endFrame - backFrames;
        if (frame < 0) continue;
        const again = naive.slice(frame, frames);
        const reachesEnd = frame + frames >= naive.endFrame;
        // Beyond the end the track has had nothing yet, so whatever comes there does not tell against it.
        const samples = reachesEnd ? Int16Array.from([...again, ...samplesFrom(99, more)]) : again;
        t.true(history.repeats(frame, bytesOf(samples)));
      }
    }),
    { numRuns: 60 },
  );
});

test('audio that differs in a single sample is other audio', (t) => {
  const look = fc.record({
    backFrames: fc.integer({ min: 1, max: KEPT_FRAMES }),
    frames: fc.integer({ min: 1, max: 1500 }),
    changed: fc.nat(1499),
  });
  fc.assert(
    fc.property(appends, fc.array(look, { maxLength: 5 }), (all, looks) => {
      const { history, naive } = noted(all);
      for (const { backFrames, frames, changed } of looks) {
        const frame = naive.endFrame - backFrames;
        if (frame < 0) continue;
        const other = naive.slice(frame, frames);
        const at = changed % other.length;
        other[at] = (other[at] as number) ^ 0x0101;
        t.is(naive.differsAt(frame, other), at);
        t.false(history.repeats(frame, bytesOf(other)));
      }
    }),
    { numRuns: 60 },
  );
});

test('other speech at the same place is not taken for a repetition, whatever the alignment', (t) => {
  for (let shift = 0; shift < SAMPLES_PER_MS; shift++) {
    const history = new History();
    history.note(shift, bytesOf(samplesFrom(1, BLOCK_FRAMES)));
    t.true(history.repeats(shift, bytesOf(samplesFrom(1, BLOCK_FRAMES))));
    t.false(history.repeats(shift, bytesOf(samplesFrom(2, BLOCK_FRAMES))));
    t.false(history.repeats(shift + 1, bytesOf(samplesFrom(1, BLOCK_FRAMES))), 'the same a sample later');
  }
});

test('however short a block is, it is known again, and one that differs is not', (t) => {
  const history = new History();
  const samples = samplesFrom(1, 64);
  history.note(0, bytesOf(samples));
  for (let from = 0; from < 32; from++) {
    for (let length = 1; length < 8; length++) {
      const again = samples.slice(from, from + length);
      t.true(history.repeats(from, bytesOf(again)), `${length} samples from ${from}`);
      again[length - 1] = (again[length - 1] as number) ^ 0x0101;
      t.false(history.repeats(from, bytesOf(again)), `${length} samples from ${from}, the last another`);
    }
  }
});

test('a gap is silence: silence there is a repetition, speech is not', (t) => {
  const history = new History();
  history.note(0, bytesOf(samplesFrom(1, BLOCK_FRAMES)));
  history.note(2 * BLOCK_FRAMES, bytesOf(samplesFrom(2, BLOCK_FRAMES)));
  t.true(history.repeats(BLOCK_FRAMES, new Uint8Array(BLOCK_FRAMES * BYTES_PER_SAMPLE)));
  t.false(history.repeats(BLOCK_FRAMES, bytesOf(samplesFrom(1, BLOCK_FRAMES))));
});

test('what lies outside of what the track has had, or of what is kept, is new', (t) => {
  const history = new History();
  const one = bytesOf(samplesFrom(1, BLOCK_FRAMES));
  t.false(history.repeats(0, one), 'nothing yet');
  history.note(0, bytesOf(samplesFrom(1, 2 * KEPT_FRAMES)));
  t.false(history.repeats(-1, one));
  t.false(history.repeats(2 * KEPT_FRAMES, one));
  const kept = bytesOf(samplesFrom(1, 2 * KEPT_FRAMES).slice(KEPT_FRAMES - 1));
  t.true(history.repeats(KEPT_FRAMES, kept.subarray(BYTES_PER_SAMPLE)), 'as far back as it goes');
  t.false(history.repeats(KEPT_FRAMES - 1, kept), 'a sample further');
});

test('half a sample at the end of a block does not tell against it', (t) => {
  const history = new History();
  const bytes = bytesOf(samplesFrom(1, BLOCK_FRAMES));
  history.note(0, bytes);
  for (const odd of [bytes.subarray(0, -1), bytes.subarray(0, 101), Uint8Array.of(...bytes, 7)]) {
    t.true(history.repeats(0, odd), `${odd.length} bytes`);
  }
});

/** Both histories after the same appends. */
function noted(all: readonly { gapFrames: number; frames: number; isSilent: boolean }[]) {
  const history = new History();
  const naive = new NaiveHistory();
  for (const [i, { gapFrames, frames, isSilent }] of all.entries()) {
    const samples = isSilent ? new Int16Array(frames) : samplesFrom(i + 1, frames);
    const startFrame = naive.endFrame + gapFrames;
    history.note(startFrame, bytesOf(samples));
    naive.note(startFrame, samples);
  }
  return { history, naive };
}
