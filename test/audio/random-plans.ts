import { randomFrom } from '../support/random.ts';
import type { Absence, CallPlan, Jitter } from './random-calls.ts';

/** Draws call number `nth` of a seed: its length, jitter, drift, absences, late start and repetitions. */
export function randomPlan(seed: number, nth: number): CallPlan {
  const random = randomFrom(seed * 1_000_003 + nth);
  const draw: Draw = {
    int: (from, to) => from + Math.floor(random() * (to - from + 1)),
    pick: (...choices) => choices[Math.floor(random() * choices.length)] as (typeof choices)[number],
    chance: (share) => random() < share,
  };
  const { int, pick, chance } = draw;
  const jitter = randomJitter(draw);
  const rate = pick(0, 0, int(-300, 300), 300, -300);
  const ppm = pick([rate, rate], [rate, rate], [rate, int(-300, 300)]) as [number, number];
  const blocks = pick(int(100, 300), int(300, 900), int(50, 100));
  const isExact = jitter.kind === 'exact' && ppm.every((each) => each === 0);
  const snap = chance(0.5) ? (ms: number) => Math.round(ms / 64) * 64 : (ms: number) => ms;
  const isTrackMajor = chance(0.2);
  return {
    seed: int(0, 2 ** 30),
    blocks,
    blockFrames: 512,
    jitter,
    ppm,
    lateMs: chance(0.3) ? snap(int(300, Math.min(20_000, blocks * 30))) : 0,
    lateChannel: pick(0, 1) as 0 | 1,
    absences: randomAbsences(draw, { blocks, isExact, jitter, snap }),
    sets: [],
    repetitions: chance(0.15) ? [{ afterBlocks: int(40, blocks - 10), blocks: int(16, 40) }] : [],
    fragmentBlocks: 16,
    isTrackMajor,
    isLive: !isTrackMajor && chance(0.7),
  };
}

interface Draw {
  int(from: number, to: number): number;
  pick<T>(...choices: T[]): T;
  chance(share: number): boolean;
}

function randomJitter({ int, pick }: Draw): Jitter {
  return pick<Jitter>(
    { kind: 'exact' },
    { kind: 'uniform', ms: 60 },
    { kind: 'uniform', ms: int(2, 60) },
    { kind: 'later', ms: int(2, 60), afterBlocks: int(1, 300) },
    { kind: 'normal', sdMs: int(1, 20) },
    { kind: 'sparse', ms: int(-60, 60), everyNth: pick(3, 10, 100, 1000) },
  );
}

interface AbsenceOptions {
  readonly blocks: number;
  readonly isExact: boolean;
  readonly jitter: Jitter;
  readonly snap: (ms: number) => number;
}

/** With exact times absences from 64 ms on, otherwise from 208 ms on. */
function randomAbsences({ int, pick, chance }: Draw, { blocks, isExact, jitter, snap }: AbsenceOptions): Absence[] {
  const absences: Absence[] = [];
  const nextBlock = () => int(jitter.kind === 'exact' ? 4 : 12, 200);
  for (let at = nextBlock(); at < blocks - 20 && absences.length < 6 && chance(0.8); at += nextBlock()) {
    const ms = isExact ? pick(64, 64 * int(1, 40), int(64, 3000)) : pick(int(208, 300), int(208, 5000));
    absences.push({ afterBlocks: at, ms: snap(ms), channel: pick<0 | 1 | 2>(0, 1, 2) });
  }
  return absences;
}
