/** The process that simulates Deepgram in a load run. */
import type { Sum } from './caller.ts';
import { type Certificates, identityAt } from './certificates.ts';
import { LoadDeepgram, type MessageCounts } from './deepgram-server.ts';
import { HeardCall, type HeardFigures } from './heard-call.ts';
import { listen, takeOrders } from './orders.ts';
import type { SpokenFigures } from './spoken-results.ts';
import { Spread, type SpreadFigures } from './spread.ts';
import { Strain, type StrainFigures } from './strain.ts';

interface DeepgramFigures {
  readonly strain: StrainFigures;
  /** Lag of all blocks since `begin`: of undisturbed calls, and of calls with an injected fault. */
  readonly lagMs: SpreadFigures;
  readonly lagOfBrokenMs: SpreadFigures;
  readonly counts: MessageCounts;
  readonly handshakes: number;
  readonly refused: number;
}

export type DeepgramOrders = typeof orders;

/** What was on a call's stream. */
export interface SaidCall {
  readonly call: number;
  readonly blocks: number;
}

/** The process's argument, as JSON. */
export interface DeepgramSettings {
  readonly tls: Certificates | null;
  /** Calls whose every byte is compared. */
  readonly verified: readonly number[];
  /** Whether sessions without a callback get results; not by default. */
  readonly results?: boolean | undefined;
}

const { tls, verified, results = false } = JSON.parse(process.argv[2] ?? '') as DeepgramSettings;
const isVerified = new Set(verified);
const broken = new Set<number>();
const heardCalls = new Map<number, HeardCall>();
const lag = new Spread();
const lagOfBroken = new Spread();
const strain = new Strain();
const deepgram = new LoadDeepgram(identityAt(tls), results, callHeard);

const orders = {
  listening: () => listen(deepgram.server, tls ? 'https' : 'http'),
  /** Starts a new measurement period. */
  begin: () => {
    strain.begin();
    lag.reset();
    lagOfBroken.reset();
  },
  figures: (): DeepgramFigures => ({
    strain: strain.figures(),
    lagMs: lag.figures(),
    lagOfBrokenMs: lagOfBroken.figures(),
    counts: deepgram.counts,
    handshakes: deepgram.handshakes,
    refused: deepgram.refused,
  }),
  /** Resolves once this much audio of the call has arrived. */
  received: ({ call, audioMs }: { call: number; audioMs: number }) => callHeard(call).received(audioMs),
  /** Counts the call's lag separately from now on. */
  willBreak: (call: number) => {
    broken.add(call);
  },
  breakOff: ({ call, properly }: { call: number; properly: boolean }): boolean => deepgram.breakOff(call, properly),
  totals: (said: readonly SaidCall[]): HeardFigures[] =>
    said.map(({ call, blocks }) => callHeard(call).figures(blocks)),
  /** What was returned for these calls. */
  spoken: (calls: readonly number[]): SpokenFigures[] =>
    calls.map((call) => deepgram.spoken.get(call) ?? { finals: 0, interims: 0, words: [0, 0] }),
  /** What arrived of a call that was sent without an encoding. */
  container: (call: number): Sum => deepgram.containers.get(call) ?? { bytes: 0, crc: 0 },
};
takeOrders(orders);

function callHeard(call: number): HeardCall {
  const known = heardCalls.get(call);
  if (known) return known;
  const heard = new HeardCall(call, isVerified.has(call), (lagMs) => (broken.has(call) ? lagOfBroken : lag).add(lagMs));
  heardCalls.set(call, heard);
  return heard;
}
