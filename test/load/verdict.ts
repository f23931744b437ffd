import { type Comparison, spanText } from './comparison.ts';
import type { Options } from './options.ts';
import type { RelayedFigures, Report, StageFigures } from './report.ts';

/** The input of the verdict. */
export type Judged = Omit<Report, 'verdict'>;

/** With --until-lag, a stage with too much lag ends the run but is not a failure. */
export function verdictOn(report: Judged): Report['verdict'] {
  const { options, starts, stages, audio, results, sessions, comparisons } = report;
  const kept = options.untilLag ? stages.filter((stage) => isWithinLag(stage, options)) : stages;
  const failures = [
    ...above('failed starts', starts.failed, 0, ''),
    ...above('failed sessions', sessions.failed, 0, ''),
    ...above('sessions that did not end', sessions.unended, 0, ''),
    ...above('blocks of wrong audio', audio.wrongBlocks, 0, ''),
    ...above('audio after the end of calls', audio.surplusMs, 0, ' ms'),
    ...above('gaps', audio.gapMs - audio.lostMs, options.maxGaps, ' ms'),
    ...above('start latency p99', starts.latencyMs.p99, options.maxStartP99, ' ms'),
    ...kept.flatMap(({ lagMs, daemon }) => [
      ...above('lag p99', lagMs.p99, options.maxLagP99, ' ms'),
      ...above('CPU per second of call', daemon.cpuMsPerCallSecond, options.maxCpu, ' ms'),
      ...above('memory per call', daemon.rssKibPerCall, options.maxRss, ' KiB'),
    ]),
    ...(results ? relayFailures(results, options) : []),
    ...comparisons.filter(({ agrees }) => !agrees).map(difference),
    ...(report.callsWithinLag === 0 ? ['no number of calls stayed within the allowed lag'] : []),
    ...(audio.receivedSeconds === 0 ? ['no audio arrived'] : []),
  ];
  return { passed: failures.length === 0, failures };
}

/** Whether a stage's lag is within --max-lag-p99. */
export function isWithinLag(stage: StageFigures | undefined, { maxLagP99 }: Options): boolean {
  return stage !== undefined && stage.lagMs.p99 <= maxLagP99;
}

function relayFailures(results: RelayedFigures, { least }: Options): string[] {
  const { finalsSent, wordsSent, words, refused, events, faults } = results;
  // The consumer refuses each of its requests.
  if (least) return refused === 0 ? ['the least relay posted nothing'] : [];
  const finals = events['transcript'] ?? 0;
  return [
    ...above('requests with a wrong signature', refused, 0, ''),
    ...Object.entries(faults).map(([fault, count]) => `events are wrong (${fault}): ${count}`),
    ...(words === wordsSent ? [] : [`${wordsSent} final words were sent, ${words} delivered`]),
    ...(finals === finalsSent ? [] : [`${finalsSent} final results were sent, ${finals} delivered`]),
    ...(finals === 0 ? ['no final result arrived'] : []),
  ];
}

function difference({ series, said, counted }: Comparison): string {
  return `/metrics has ${series} ${said}, but ${spanText(counted)} was counted`;
}

function above(what: string, value: number, limit: number | undefined, unit: string): string[] {
  if (limit === undefined || value <= limit) return [];
  const shown = Number.isInteger(value) ? String(value) : value.toFixed(2);
  return [`${what} ${shown}${unit}, at most ${limit}${unit} allowed`];
}
