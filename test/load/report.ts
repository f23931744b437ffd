import type { BucketSpread } from './bucket-spread.ts';
import { type Comparison, type Span, spanText } from './comparison.ts';
import type { Said } from './daemon.ts';
import type { KinesisFigures } from './kinesis.ts';
import type { Options } from './options.ts';
import type { ThreadTime } from './process-usage.ts';
import type { SpreadFigures } from './spread.ts';
import type { StrainFigures } from './strain.ts';

/** The figures of one stretch of time in which a number of calls ran. */
export interface StageFigures {
  readonly calls: number;
  readonly seconds: number;
  readonly daemon: {
    /** User and system time, of all its threads. */
    readonly cpuMs: number;
    readonly cpuMsPerCallSecond: number;
    /** What one core could do at that price. */
    readonly callsPerCore: number;
    /** The worst of each second of each thread, as /metrics tells it. */
    readonly eventLoopDelayMs: BucketSpread;
    readonly threads: readonly ThreadTime[];
    readonly rssKib: number;
    readonly rssKibPerCall: number;
  };
  readonly lagMs: SpreadFigures;
  readonly lagOfBrokenMs: SpreadFigures;
  readonly messages: { readonly perCallSecond: number; readonly meanMs: number };
  readonly kinesis: { readonly strain: StrainFigures; readonly latenessMs: KinesisFigures['latenessMs'] };
  readonly deepgram: { readonly strain: StrainFigures };
  /** Cores that were busy with something else on this machine, all the time on average. */
  readonly otherCores: number;
}

/** What came of the calls, at their end. */
export interface AudioFigures {
  /** What was put on the streams, of both tracks together as one. */
  readonly saidSeconds: number;
  /** What Deepgram received, what came twice included. */
  readonly receivedSeconds: number;
  readonly holeMs: number;
  /** What the run itself kept from the streams; it is among the holes. */
  readonly lostMs: number;
  readonly callsWithHoles: number;
  readonly wrongBlocks: number;
  readonly surplusMs: number;
  readonly repeatedMs: number;
  readonly verifiedCalls: number;
}

/** All that a load run found out. Times are ms, memory is KiB. */
export interface Report {
  readonly machine: { readonly cores: number; readonly cpu: string; readonly node: string; readonly date: string };
  readonly options: Options;
  readonly idleRssKib: number;
  readonly starts: {
    readonly asked: number;
    readonly failed: number;
    /** Why the first of them failed. */
    readonly reasons: readonly string[];
    readonly latencyMs: SpreadFigures;
    /** CPU of the daemon meanwhile, the audio of the calls that ran already included. */
    readonly cpuMsPerStart: number;
  };
  /** While calls were being started. */
  readonly lagWhileStartingMs: SpreadFigures;
  readonly stages: readonly StageFigures[];
  /** The most calls whose lag p99 stayed within --max-lag-p99; only with --until-lag, and 0 when it never did. */
  readonly callsWithinLag: number | undefined;
  readonly audio: AudioFigures;
  /** What the run itself broke, and what the daemon then did, as the stand-ins saw it. */
  readonly faults: {
    readonly kinesisBroken: number;
    readonly deepgramBroken: number;
    readonly fragmentsLost: number;
    readonly resumes: number;
    readonly reconnects: number;
    /** What was under way to Deepgram when connections broke, as far as can be told. */
    readonly unreadMs: Span;
  };
  readonly sessions: { readonly started: number; readonly unended: number } & Said;
  /** What /metrics says of the calls, beside what was counted outside. */
  readonly comparisons: readonly Comparison[];
  /** Why there is nothing to be compared, if so. */
  readonly notCompared: string | undefined;
  readonly verdict: { readonly passed: boolean; readonly failures: readonly string[] };
}

/** The report as a person reads it. */
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
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}${options.tls ? ', TLS on both sides' : ''}`,
    row(
      'starts',
      `${starts.asked} asked, ${starts.failed} failed, ${spread(starts.latencyMs)}, ${ms(starts.cpuMsPerStart)} ms of CPU each`,
    ),
    ...starts.reasons.map((reason) => row('', reason)),
    row('lag while starting', spread(rest.lagWhileStartingMs)),
    ...stages.flatMap((stage) => stageText(stage, rest.idleRssKib, options.faults)),
    ...(rest.callsWithinLag === undefined ? [] : [row('calls within lag', String(rest.callsWithinLag))]),
    row(
      'audio',
      `${ms(audio.saidSeconds)} s said, ${ms(audio.receivedSeconds)} s received, ${ms(audio.repeatedMs)} ms of it twice`,
    ),
    row(
      'holes',
      `${ms(audio.holeMs)} ms in ${audio.callsWithHoles} calls, ${ms(audio.lostMs)} of it made by the run; the daemon's log tells ${ms(sessions.holeMs)} ms`,
    ),
    row(
      'wrong',
      `${audio.wrongBlocks} blocks, ${ms(audio.surplusMs)} ms too much; ${audio.verifiedCalls} calls compared byte for byte`,
    ),
    row(
      'sessions',
      `${sessions.started} started, ${sessions.completed} completed, ${sessions.failed} failed, ${sessions.unended} without an end`,
    ),
    row(
      'broken',
      `${kinesisBroken} Kinesis bodies (${resumes} resumed), ${deepgramBroken} Deepgram sockets (${reconnects} reconnected, ${spanText(unreadMs)} ms on their way never read), ${fragmentsLost} fragments lost`,
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
  const { daemon, lagMs, lagOfBrokenMs, messages, kinesis, deepgram } = stage;
  const threads = daemon.threads.map(({ name, cpuMs }) => `${name} ${ms(cpuMs)}`).join(', ');
  return [
    `${stage.calls} calls for ${ms(stage.seconds)} s`,
    row('  lag', spread(lagMs)),
    ...(faults ? [row('  lag of broken calls', spread(lagOfBrokenMs))] : []),
    row(
      '  daemon CPU',
      `${daemon.cpuMsPerCallSecond.toFixed(3)} ms per second of call, ${ms(daemon.callsPerCore)} calls per core`,
    ),
    row('  daemon threads', `${threads} ms`),
    row('  daemon event loop', `${bucketSpread(daemon.eventLoopDelayMs)}, the worst of each second of each thread`),
    row(
      '  daemon memory',
      `${ms(daemon.rssKib / 1024)} MiB, idle ${ms(idleRssKib / 1024)} MiB: ${ms(daemon.rssKibPerCall)} KiB per call`,
    ),
    row('  messages', `${messages.perCallSecond.toFixed(1)} per second of call, of ${ms(messages.meanMs)} ms`),
    row(
      '  Kinesis stand-in',
      `${strain(kinesis.strain)}, blocks late p50 ${ms(kinesis.latenessMs.p50)} p99 ${ms(kinesis.latenessMs.p99)} max ${ms(kinesis.latenessMs.max)} ms`,
    ),
    row('  Deepgram stand-in', strain(deepgram.strain)),
    row('  rest of the machine', `${(100 * stage.otherCores).toFixed(0)} % of a core`),
  ];
}

function row(name: string, text: string): string {
  return `${name.padEnd(22)}${text}`;
}

function spread({ count, p50, p95, p99, max }: SpreadFigures): string {
  if (count === 0) return 'none';
  return `p50 ${ms(p50)} p95 ${ms(p95)} p99 ${ms(p99)} max ${ms(max)} ms`;
}

function bucketSpread({ count, p50, p99, max }: BucketSpread): string {
  const bound = (value: number | null) => (value === null ? 'beyond all bounds' : `<= ${ms(value)}`);
  return count === 0 ? 'late: nothing told' : `late p50 ${bound(p50)} p99 ${bound(p99)} max ${bound(max)} ms`;
}

function comparisonText(comparisons: readonly Comparison[]): string[] {
  const length = Math.max(...comparisons.map(({ series }) => series.length));
  const differing = comparisons.filter(({ agrees }) => !agrees).length;
  return [
    row(
      '/metrics',
      differing === 0 ? 'says what was counted outside:' : `differs in ${differing} from what was counted:`,
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
