import test from 'ava';
import { Aligner } from '../../daemon/audio/aligner.ts';
import { resumePoint } from '../../daemon/checkpoints/checkpoint.ts';
import { SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { GapReporter } from '../../daemon/session/gap-report.ts';
import { ResumeTracker } from '../../daemon/session/resume-tracker.ts';
import type { StartingPoint } from '../../daemon/session/seed.ts';
import { Ear, SmallBuffer } from '../audio/heard-call.ts';
import { type CallPlan, type SpokenBlock, type SpokenCall, speak } from '../audio/random-calls.ts';
import { randomPlan } from '../audio/random-plans.ts';
import { randomFrom } from '../support/random.ts';
import { recordedLog } from '../support/recorded-log.ts';

const INTERRUPTIONS = 4;
const WAIT_MS = 200;
/** A chunk has up to two seconds. */
const MOST_BLOCKS_AT_ONCE = 60;
const BEGINNING: StartingPoint = {
  position: { isCallStart: true, fragmentNumber: '0' },
  callClock: undefined,
  callMs: 0,
  connections: 1,
};
const { log } = recordedLog();
const NOT_COUNTED = { notStreamedMs: 0, gap: () => {} };
const IDENTITY = { sessionId: 's', traceId: 't', request: {}, timeZeroEpochMs: 0 } as never;

/** What Deepgram has of a call: later connections write over what they repeat. */
class Transcriptionist {
  frames = new Int32Array(1_000_000);
  endFrame = 0;
  /** What the last process counts as missing. */
  gapMs = 0;

  hear(frames: Int32Array, fromFrame: number): void {
    if (fromFrame + frames.length > this.frames.length) {
      const longer = new Int32Array(2 * (fromFrame + frames.length));
      longer.set(this.frames);
      this.frames = longer;
    }
    this.frames.set(frames, fromFrame);
    this.endFrame = fromFrame + frames.length;
  }
}

interface Life {
  /** It is killed after this many blocks. */
  readonly blocks: number;
  readonly random: () => number;
  readonly heard: Transcriptionist;
  /** How often more of what was sent becomes safe, per chunk. */
  readonly becomesSafe: number;
}

/** A process that reads the call from a resume point on, and is killed. Returns its last resume point; undefined if the call has ended. */
function read(
  call: SpokenCall,
  from: StartingPoint,
  { blocks, random, heard, becomesSafe }: Life,
): StartingPoint | undefined {
  const { callMs, callClock, position: start } = from;
  const aligner = new Aligner(WAIT_MS, new SmallBuffer(callMs * SAMPLES_PER_MS), callClock && { callMs, callClock });
  let safeMs = callMs;
  let sentFrames = callMs * SAMPLES_PER_MS;
  const link = {
    get safeMs() {
      return Math.floor(safeMs);
    },
    connections: 1,
  };
  const gaps = new GapReporter(log, NOT_COUNTED, undefined, from);
  const checkpoints = { track: () => {}, settled: async () => {}, changed: () => {}, freeze: () => {} };
  const tracker = new ResumeTracker(IDENTITY, start, aligner, { link, checkpoints, gaps });
  let position = 'producerEpochMs' in start ? start : undefined;
  let saved = from;
  const rest = call.blocks.filter(({ fragment }) => fragment + 1 > Number(start.fragmentNumber)).slice(0, blocks);
  const take = () => {
    for (let piece = aligner.take(250); piece; piece = aligner.take(250)) {
      heard.hear(piece.frames, sentFrames);
      sentFrames += piece.frames.length;
      gaps.took(aligner, piece.frames.length / SAMPLES_PER_MS);
    }
    gaps.check(aligner);
    heard.gapMs = gaps.totalMs(aligner.gapMs);
  };
  for (let at = 0; at < rest.length; ) {
    const chunk = rest.slice(at, at + 1 + Math.floor(random() * MOST_BLOCKS_AT_ONCE));
    at += chunk.length;
    for (const { block } of chunk) aligner.add(block());
    // The last fragment that is complete: the next one has begun.
    const complete = (rest[at] ?? (chunk.at(-1) as SpokenBlock)).fragment;
    if (complete > Number(start.fragmentNumber)) {
      position = { fragmentNumber: String(complete), continuationToken: undefined, producerEpochMs: 1, segmentUid: '' };
    }
    take();
    aligner.keep();
    tracker.note(position);
    if (random() < becomesSafe) safeMs += (sentFrames / SAMPLES_PER_MS - safeMs) * random();
    if (random() < 0.5) saved = pointOnDisk(tracker.resumePoint());
  }
  if (rest.length === blocks) return saved;
  aligner.finish();
  take();
  return undefined;
}

function pointOnDisk(point: StartingPoint): StartingPoint {
  return resumePoint.parse(JSON.parse(JSON.stringify({ ...point, savedAtEpochMs: 1 })));
}

interface Lives {
  readonly seed: number;
  readonly nth: number;
  /** A process reads up to this many blocks before it is killed. */
  readonly mostBlocks: number;
  readonly becomesSafe: number;
  readonly changes?: Partial<CallPlan>;
}

/** What is wrong with a random call whose processes are killed one after the other. */
function faultsOf({ seed, nth, mostBlocks, becomesSafe, changes }: Lives): string[] {
  const random = randomFrom(nth + 1);
  const plan = { ...randomPlan(seed, nth), ...changes };
  // With inexact times, a process may decide otherwise about an absence than the one before it.
  const isExact = plan.jitter.kind === 'exact';
  const absences = isExact ? plan.absences : [];
  // So it is with a late track, which matters only if what was decided about it is minutes old.
  const lateMs = isExact || becomesSafe > 0.1 ? plan.lateMs : 0;
  const call = speak({ ...plan, absences, lateMs, repetitions: [], isTrackMajor: false });
  const heard = new Transcriptionist();
  let point: StartingPoint | undefined = BEGINNING;
  for (let life = 0; point; life++) {
    const blocks = life < INTERRUPTIONS ? 1 + Math.floor(random() * mostBlocks) : Infinity;
    point = read(call, point, { blocks, random, heard, becomesSafe });
  }
  const whole = new Transcriptionist();
  read(call, BEGINNING, { blocks: Infinity, random, heard: whole, becomesSafe });
  const faults: string[] = [];
  if (Math.abs(heard.gapMs - whole.gapMs) >= 1) faults.push(`${heard.gapMs} of ${whole.gapMs} ms are missing`);
  for (const channel of [0, 1] as const) {
    const ear = new Ear(channel);
    ear.hear(heard.frames.subarray(0, heard.endFrame), 0);
    const samples = call.samples[channel];
    if (ear.fault) faults.push(ear.fault);
    else if (ear.index !== samples) faults.push(`channel ${channel}: ${ear.index} of ${samples} samples`);
  }
  return faults.map((fault) => `call ${nth}: ${fault}: ${JSON.stringify(call.plan)}`);
}

test('a call whose processes are killed one after the other, also while they catch up, has every sample and gap once', (t) => {
  for (let nth = 0; nth < 60; nth++) t.deepEqual(faultsOf({ seed: 5, nth, mostBlocks: 900, becomesSafe: 0.5 }), []);
});

test('so it is while Deepgram is minutes behind, and then catches up', (t) => {
  for (let nth = 0; nth < 24; nth++) {
    // Fragments of a block to 4 s.
    const fragmentBlocks = [1, 3, 16, 64][nth % 4] as number;
    const changes = { blocks: 3000, fragmentBlocks };
    t.deepEqual(faultsOf({ seed: 6, nth, mostBlocks: 5000, becomesSafe: 0.02, changes }), []);
  }
});
