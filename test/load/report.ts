import type { BucketSpread } from './bucket-spread.ts';
import { type Comparison, type Span, spanText } from './comparison.ts';
import type { Said } from './daemon.ts';
import type { KinesisFigures } from './kinesis.ts';
import type { Options } from './options.ts';
import type { ThreadTime } from './process-usage.ts';
import type { SpreadFigures } from './spread.ts';
import type { StrainFigures } from './strain.ts';

/** Figures of a period with a fixed number of calls. */
export interface StageFigures {
  readonly calls: number;
  readonly seconds: number;
  readonly daemon: {
    /** User and system time of all threads. */
    readonly cpuMs: number;
    readonly cpuMsPerCallSecond: number;
    /** Calls that one core could carry at this cost. */
    readonly callsPerCore: number;
    /** The worst delay of each second, all threads together, from /metrics. */
    readonly eventLoopDelayMs: BucketSpread;
    readonly threads: readonly ThreadTime[];
    readonly rssKib: number;
    readonly rssKibPerCall: number;
  };
  readonly lagMs: SpreadFigures;
  /** The daemon's own lag of all calls, from /metrics, and its mean divided by that of the lag measured outside. */
  readonly ownLagMs: BucketSpread;
  readonly ownLagRatio: number;
  readonly lagOfBrokenMs: SpreadFigures;
  readonly messages: { readonly perCallSecond: number; readonly meanMs: number };
  readonly kinesis: { readonly strain: StrainFigures; readonly latenessMs: KinesisFigures['latenessMs'] };
  readonly deepgram: { readonly strain: StrainFigures };
  /** With --results. */
  readonly results: DeliveryFigures | undefined;
  /** Cores busy with anything else, on average. */
  readonly otherCores: number;
}

/** How results were delivered in a period. */
export interface DeliveryFigures {
  readonly finals: number;
  readonly requests: number;
  /** Since the beginning of the run. */
  readonly connections: number;
  /** From the sending of a final by Deepgram to its arrival at the consumer. */
  readonly deliveryMs: SpreadFigures;
  /** The daemon's own, from /metrics: from the arrival of a final at the daemon to the consumer's answer. */
  readonly ownDeliveryMs: BucketSpread;
  readonly consumer: { readonly strain: StrainFigures };
}

/** What came of the results that Deepgram returned. */
export interface RelayedFigures {
  readonly finalsSent: number;
  readonly interimsSent: number;
  readonly wordsSent: number;
  /** Events that the consumer received, by type as in /metrics. */
  readonly events: Readonly<Record<string, number>>;
  readonly words: number;
  readonly requests: number;
  /** Events that came again under the same id. */
  readonly repeats: number;
  /** Requests with a wrong signature, or of no call of the run. */
  readonly refused: number;
  /** What the consumer found wrong with them. */
  readonly faults: Readonly<Record<string, number>>;
}

/** The outcome of the calls. */
export interface AudioFigures {
  /** Audio put on the streams, both tracks counted as one. */
  readonly saidSeconds: number;
  /** Audio that Deepgram received, including repeats. */
  readonly receivedSeconds: number;
  readonly gapMs: number;
  /** Audio that the run itself made the streams lose; included in the gaps. */
  readonly lostMs: number;
  readonly callsWithGaps: number;
  readonly wrongBlocks: number;
  readonly surplusMs: number;
  readonly repeatedMs: number;
  readonly verifiedCalls: number;
}

/** All results of a load run. Times are ms, memory is KiB. */
export interface Report {
  readonly machine: { readonly cores: number; readonly cpu: string; readonly node: string; readonly date: string };
  readonly options: Options;
  readonly idleRssKib: number;
  readonly starts: {
    readonly asked: number;
    readonly failed: number;
    /** Reasons of the first failures. */
    readonly reasons: readonly string[];
    readonly latencyMs: SpreadFigures;
    /** CPU of the daemon during the starts, including the audio of running calls. */
    readonly cpuMsPerStart: number;
  };
  /** While calls were being started. */
  readonly lagWhileStartingMs: SpreadFigures;
  readonly stages: readonly StageFigures[];
  /** With --until-lag: the most calls whose lag p99 stayed within --max-lag-p99; 0 if it never did. */
  readonly callsWithinLag: number | undefined;
  readonly audio: AudioFigures;
  /** With --results. */
  readonly results: RelayedFigures | undefined;
  /** Injected faults, and the daemon's reaction as the simulators saw it. */
  readonly faults: {
    readonly kinesisBroken: number;
    readonly deepgramBroken: number;
    readonly fragmentsLost: number;
    readonly resumes: number;
    readonly reconnects: number;
    /** Audio in flight to Deepgram when connections broke, as far as it is known. */
    readonly unreadMs: Span;
  };
  readonly sessions: { readonly started: number; readonly unended: number } & Said;
  /** /metrics next to what was counted outside. */
  readonly comparisons: readonly Comparison[];
  /** Why nothing was compared, if so. */
  readonly notCompared: string | undefined;
  readonly verdict: { readonly passed: boolean; readonly failures: readonly string[] };
}

/** The report as text. */
export function reportText({
  machine,
  options,
  starts,
  stages,
  audio,
  faults,
  sessions,
  comparisons,
  verdict,
  ...rest
}: Report): string {
  const { kinesisBroken, deepgramBroken, fragmentsLost, resumes, reconnects, unreadMs } = faults;
  const trouble = Object.entries(sessions.trouble).map(([event, count]) => `${event} ${count}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}${options.tls ? ', TLS on both sides' : ''}, ContactId ${options.tags} the cluster`,
    row(
      'starts',
      `${starts.asked} requested, ${starts.failed} failed, ${spread(starts.latencyMs)}, ${ms(starts.cpuMsPerStart)} ms of CPU each`,
    ),
    ...starts.reasons.map((reason) => row('', reason)),
    row('lag while starting', spread(rest.lagWhileStartingMs)),
    ...stages.flatMap((stage) => stageText(stage, rest.idleRssKib, options.faults)),
    ...(rest.callsWithinLag === undefined ? [] : [row('calls within lag', String(rest.callsWithinLag))]),
    row(
      'audio',
      `${ms(audio.saidSeconds)} s sent, ${ms(audio.receivedSeconds)} s received, ${ms(audio.repeatedMs)} ms of it twice`,
    ),
    row(
      'gaps',
      `${ms(audio.gapMs)} ms in ${audio.callsWithGaps} calls, ${ms(audio.lostMs)} of it injected; ${ms(sessions.gapMs)} ms in the daemon's log`,
    ),
    row(
      'wrong',
      `${audio.wrongBlocks} blocks, ${ms(audio.surplusMs)} ms surplus; ${audio.verifiedCalls} calls compared byte for byte`,
    ),
    ...(rest.results ? [relayedText(rest.results)] : []),
    row(
      'sessions',
      `${sessions.started} started, ${sessions.completed} completed, ${sessions.failed} failed, ${sessions.unended} not ended`,
    ),
    row(
      'faults',
      `${kinesisBroken} Kinesis bodies (${resumes} resumed), ${deepgramBroken} Deepgram sockets (${reconnects} reconnected, ${spanText(unreadMs)} ms in flight never read), ${fragmentsLost} fragments lost`,
    ),
    ...(rest.notCompared === undefined
      ? comparisonText(comparisons)
      : [row('/metrics', `not compared: ${rest.notCompared}`)]),
    ...(trouble.length > 0 ? [row('log, warn and error', trouble.join(', '))] : []),
    verdict.passed ? 'PASSED' : `FAILED: ${verdict.failures.join('; ')}`,
    '',
  ].join('\n');
}

function stageText(stage: StageFigures, idleRssKib: number, faults: boolean): string[] {
  const { daemon, lagMs, ownLagMs, ownLagRatio, lagOfBrokenMs, messages, kinesis, deepgram, results } = stage;
  const threads = daemon.threads.map(({ name, cpuMs }) => `${name} ${ms(cpuMs)}`).join(', ');
  return [
    `${stage.calls} calls for ${ms(stage.seconds)} s`,
    row('  lag', `mean ${ms(lagMs.mean)} ${spread(lagMs)}`),
    row("  daemon's own lag", `mean ${ms(ownLagMs.mean)} ${bounds(ownLagMs)}: ${ownLagRatio.toFixed(2)} of it`),
    ...(faults ? [row('  lag of faulty calls', spread(lagOfBrokenMs))] : []),
    row(
      '  daemon CPU',
      `${daemon.cpuMsPerCallSecond.toFixed(3)} ms per second of call, ${ms(daemon.callsPerCore)} calls per core`,
    ),
    row('  daemon threads', `${threads} ms`),
    row('  daemon event loop', `${bucketSpread(daemon.eventLoopDelayMs)}, worst of each second, all threads`),
    row(
      '  daemon memory',
      `${ms(daemon.rssKib / 1024)} MiB, idle ${ms(idleRssKib / 1024)} MiB: ${ms(daemon.rssKibPerCall)} KiB per call`,
    ),
    row('  messages', `${messages.perCallSecond.toFixed(1)} per second of call, of ${ms(messages.meanMs)} ms`),
    row(
      '  Kinesis simulator',
      `${strain(kinesis.strain)}, blocks late p50 ${ms(kinesis.latenessMs.p50)} p99 ${ms(kinesis.latenessMs.p99)} max ${ms(kinesis.latenessMs.max)} ms`,
    ),
    row('  Deepgram simulator', strain(deepgram.strain)),
    ...(results ? deliveryText(results) : []),
    row('  rest of the machine', `${(100 * stage.otherCores).toFixed(0)} % of a core`),
  ];
}

function deliveryText({
  finals,
  requests,
  connections,
  deliveryMs,
  ownDeliveryMs,
  consumer,
}: DeliveryFigures): string[] {
  return [
    row('  delivery', `${spread(deliveryMs)}: ${finals} finals, ${requests} requests, ${connections} connections`),
    row("  daemon's own", `mean ${ms(ownDeliveryMs.mean)} ${bounds(ownDeliveryMs)}, with the answer`),
    row('  consumer', strain(consumer.strain)),
  ];
}

function relayedText({ finalsSent, wordsSent, interimsSent, events, words, repeats, refused }: RelayedFigures): string {
  const finals = `${events['transcript'] ?? 0} of ${finalsSent} finals, ${words} of ${wordsSent} words`;
  const interims = `${events['interim'] ?? 0} of ${interimsSent} interims`;
  return row('results', `${finals}, ${interims}; ${repeats} repeated, ${refused} requests refused`);
}

function row(name: string, text: string): string {
  return `${name.padEnd(22)}${text}`;
}

function spread({ count, p50, p95, p99, max }: SpreadFigures): string {
  if (count === 0) return 'none';
  return `p50 ${ms(p50)} p95 ${ms(p95)} p99 ${ms(p99)} max ${ms(max)} ms`;
}

function bucketSpread(spread: BucketSpread): string {
  return spread.count === 0 ? 'no observations' : `late ${bounds(spread)}`;
}

function bounds({ p50, p99, max }: BucketSpread): string {
  const bound = (value: number | null) => (value === null ? 'above all buckets' : `<= ${ms(value)}`);
  return `p50 ${bound(p50)} p99 ${bound(p99)} max ${bound(max)} ms`;
}

function comparisonText(comparisons: readonly Comparison[]): string[] {
  const length = Math.max(...comparisons.map(({ series }) => series.length));
  const differing = comparisons.filter(({ agrees }) => !agrees).length;
  return [
    row(
      '/metrics',
      differing === 0 ? 'matches what was counted outside:' : `differs from what was counted outside in ${differing}:`,
    ),
    ...comparisons.map(({ series, said, counted, agrees }) => {
      const beside = agrees ? '' : '   DIFFERS';
      return `  ${series.padEnd(length)}  ${said}, counted ${spanText(counted)}${beside}`;
    }),
  ];
}

function strain({ cpuMs, wallMs, eventLoopDelayMs }: StrainFigures): string {
  const share = ((100 * cpuMs) / wallMs).toFixed(0);
  return `${share} % of a core, event loop late p50 ${ms(eventLoopDelayMs.p50)} p99 ${ms(eventLoopDelayMs.p99)} ms`;
}

function ms(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value));
}
