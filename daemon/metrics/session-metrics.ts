import { BYTES_PER_MS, CHANNELS, type Channel } from '../contract/audio-format.ts';
import { GAP_CAUSES, type GapCause } from '../contract/gap-causes.ts';
import type { Millis } from '../runtime/clock.ts';
import { Distribution, type DistributionSnapshot } from './distribution.ts';
import { type ResultsBacklog, type ResultsCounts, ResultsMetrics } from './results-metrics.ts';
import { sumOf } from './sums.ts';
import { emptyTally, nameOrOther, type Tally } from './tally.ts';

/** How a session began: by a start request, or resumed from a checkpoint. */
const ORIGINS = ['start', 'checkpoint'] as const;
/** Why a completed session ended (EndOfContact). */
const COMPLETIONS = ['next-contact', 'no-more-fragments', 'stopped'] as const;
/** Why a session failed: the names of our errors. */
const FAILURES = [
  'NoAudio',
  'KinesisRefused',
  'DeepgramRefused',
  'DeepgramUnreachable',
  'DeepgramLost',
  'SessionLost',
  'other',
] as const;
/** Close codes of Deepgram, of proxies and of broken connections (RFC 6455, daemon/deepgram/README.md). */
const CLOSE_CODES = ['1000', '1001', '1005', '1006', '1008', '1011', '1012', '1013', 'other'] as const;
/** Statuses of refused handshakes (daemon/deepgram/README.md); `unreachable`: there was no response. */
const REFUSALS = ['400', '401', '402', '403', '404', '408', '429', '5xx', 'other', 'unreachable'] as const;

/** What may explain the next gap; `not-streamed`: the flow had stopped streaming, so nothing is missing. */
export type Trouble = GapCause | 'not-streamed';
export type HandshakeRefusal = (typeof REFUSALS)[number];

/** Dense up to the length of a fragment, where lag is normal; coarser above, for freezes and outages. */
export const LAG_BOUNDS_MS: readonly Millis[] = [
  10, 25, 50, 75, 100, 125, 150, 200, 250, 300, 500, 750, 1000, 1500, 2000, 3000, 4000, 5000, 7500, 10_000, 30_000,
  60_000,
];
/** A fragment may be seconds long; a stream without retention keeps five minutes. */
export const BEHIND_BOUNDS_MS: readonly Millis[] = [100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];
export const DELAY_BOUNDS_MS: readonly Millis[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/** A thread's counts of its sessions; they never decrease. */
export type SessionCounts = {
  readonly sessionsStarted: Tally<(typeof ORIGINS)[number]>;
  readonly sessionsCompleted: Tally<(typeof COMPLETIONS)[number]>;
  readonly sessionsFailed: Tally<(typeof FAILURES)[number]>;
  /** Audio received per channel, and call time sent to Deepgram for the first time. */
  readonly audioInMs: readonly Millis[];
  readonly audioOutMs: Millis;
  readonly gapsMs: Tally<GapCause>;
  /** Call time in which the contact flow did not stream. */
  readonly notStreamedMs: Millis;
  /** Call time that the producer sent again, and that was left out. */
  readonly repeatedMs: Millis;
  readonly lagMs: DistributionSnapshot;
  readonly behindNowMs: DistributionSnapshot;
  readonly kinesisBytes: number;
  readonly rotations: number;
  readonly resumes: number;
  readonly deepgramBytes: number;
  readonly reconnects: Tally<(typeof CLOSE_CODES)[number]>;
  readonly replayedMs: Millis;
  readonly refusals: Tally<(typeof REFUSALS)[number]>;
  readonly keepAlives: number;
  readonly withoutResults: number;
  readonly eventLoopDelayMs: DistributionSnapshot;
  readonly results: ResultsCounts;
};

/** A thread's metrics, in a form that postMessage can clone. */
export interface SessionSnapshot {
  readonly counts: SessionCounts;
  /** Age of the oldest checkpoint of a running session; 0 without checkpoints. */
  readonly checkpointAgeMs: Millis;
  /** The largest lag of any running session now, with the audio that waits to be sent. */
  readonly lagNowMs: Millis;
  /** Events that wait to be delivered. */
  readonly resultsBacklog: ResultsBacklog;
}

export const NO_BACKLOG: ResultsBacklog = { events: 0, oldestAgeMs: 0 };
const BYTES_PER_MS_OF_CHANNEL = BYTES_PER_MS / CHANNELS;

/**
 * One thread's counters: plain numeric fields, so that counting costs the audio path next to nothing. Metrics are served
 * from snapshots.
 */
export class SessionMetrics {
  /** 2-channel PCM sent to Deepgram for the first time, and again after a reconnect. */
  audioOutBytes = 0;
  replayedBytes = 0;
  /** Bytes of GetMedia bodies, and of audio written to Deepgram's socket. */
  kinesisBytes = 0;
  deepgramBytes = 0;
  /** Call time in which the contact flow did not stream. */
  notStreamedMs = 0;
  /** Call time that the producer sent again, and that was left out. */
  repeatedMs = 0;
  rotations = 0;
  resumes = 0;
  keepAlives = 0;
  /** Streams without results, where results are expected. */
  withoutResults = 0;
  readonly lagMs = new Distribution(LAG_BOUNDS_MS);
  readonly eventLoopDelayMs = new Distribution(DELAY_BOUNDS_MS);
  readonly results = new ResultsMetrics();
  readonly #behindNowMs = new Distribution(BEHIND_BOUNDS_MS);
  readonly #audioInBytes = new Float64Array(CHANNELS);
  readonly #sessionsStarted = emptyTally(ORIGINS);
  readonly #sessionsCompleted = emptyTally(COMPLETIONS);
  readonly #sessionsFailed = emptyTally(FAILURES);
  readonly #gapsMs = emptyTally(GAP_CAUSES);
  readonly #reconnects = emptyTally(CLOSE_CODES);
  readonly #refusals = emptyTally(REFUSALS);

  sessionStarted(origin: (typeof ORIGINS)[number]): void {
    this.#sessionsStarted[origin]++;
  }

  sessionCompleted(reason: (typeof COMPLETIONS)[number]): void {
    this.#sessionsCompleted[reason]++;
  }

  sessionFailed(error: unknown): void {
    this.#sessionsFailed[nameOrOther(FAILURES, error instanceof Error ? error.name : '')]++;
  }

  /** Audio of one channel that came from Kinesis. */
  audioReceived(channel: Channel, bytes: number): void {
    (this.#audioInBytes[channel] as number) += bytes;
  }

  /** A fragment's distance from the end of its stream, as the stream reports it; corrupt bytes may report anything. */
  behindNow(behindMs: Millis): void {
    if (behindMs >= 0 && behindMs < Infinity) this.#behindNowMs.observe(behindMs);
  }

  gap(cause: GapCause, missingMs: Millis): void {
    this.#gapsMs[cause] += missingMs;
  }

  /** A connection that was closed with this code was replaced. */
  reconnected(closeCode: number): void {
    this.#reconnects[nameOrOther(CLOSE_CODES, String(closeCode))]++;
  }

  /** Deepgram refused a handshake, or could not be reached. */
  handshakeFailed(refusal: HandshakeRefusal): void {
    this.#refusals[refusal]++;
  }

  snapshot(checkpointAgeMs: Millis = 0, lagNowMs: Millis = 0, resultsBacklog = NO_BACKLOG): SessionSnapshot {
    const counts = {
      sessionsStarted: { ...this.#sessionsStarted },
      sessionsCompleted: { ...this.#sessionsCompleted },
      sessionsFailed: { ...this.#sessionsFailed },
      audioInMs: [...this.#audioInBytes].map((bytes) => bytes / BYTES_PER_MS_OF_CHANNEL),
      audioOutMs: this.audioOutBytes / BYTES_PER_MS,
      gapsMs: { ...this.#gapsMs },
      notStreamedMs: this.notStreamedMs,
      repeatedMs: this.repeatedMs,
      lagMs: this.lagMs.snapshot(),
      behindNowMs: this.#behindNowMs.snapshot(),
      kinesisBytes: this.kinesisBytes,
      rotations: this.rotations,
      resumes: this.resumes,
      deepgramBytes: this.deepgramBytes,
      reconnects: { ...this.#reconnects },
      replayedMs: this.replayedBytes / BYTES_PER_MS,
      refusals: { ...this.#refusals },
      keepAlives: this.keepAlives,
      withoutResults: this.withoutResults,
      eventLoopDelayMs: this.eventLoopDelayMs.snapshot(),
      results: this.results.snapshot(),
    };
    return { counts, checkpointAgeMs, lagNowMs, resultsBacklog };
  }
}

/** The sum of two threads. */
export function together(a: SessionSnapshot, b: SessionSnapshot): SessionSnapshot {
  return {
    counts: sumOf(a.counts, b.counts),
    checkpointAgeMs: Math.max(a.checkpointAgeMs, b.checkpointAgeMs),
    lagNowMs: Math.max(a.lagNowMs, b.lagNowMs),
    resultsBacklog: {
      events: a.resultsBacklog.events + b.resultsBacklog.events,
      oldestAgeMs: Math.max(a.resultsBacklog.oldestAgeMs, b.resultsBacklog.oldestAgeMs),
    },
  };
}

/** The label for a handshake refused with that status. */
export function handshakeRefusal(status: number): HandshakeRefusal {
  return status >= 500 ? '5xx' : nameOrOther(REFUSALS, String(status));
}
