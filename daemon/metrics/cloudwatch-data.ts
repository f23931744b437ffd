import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import type { DistributionSnapshot } from './distribution.ts';
import type { InstanceCounts, InstanceSnapshot } from './instance-metrics.ts';
import type { SessionCounts } from './session-metrics.ts';
import { difference } from './sums.ts';
import type { Tally } from './tally.ts';

/** The counts at the last report; CloudWatch gets the difference. */
export type Baseline = { readonly counts: SessionCounts; readonly instance: InstanceCounts };

interface Identity {
  /** METRICS_STACK. */
  readonly stack: string;
  readonly instance: string;
}

type Unit = 'Count' | 'Percent' | 'Milliseconds' | 'Seconds' | 'None';

/** A CloudWatch metric without its dimensions: one value, or values with their counts. */
type Reading = { readonly MetricName: string; readonly Unit: Unit } & (
  | { readonly Value: number }
  | { readonly Values: number[]; readonly Counts: number[] }
);

/** The metric that the group scales on. */
const CAPACITY = 'CapacityUsed';

/**
 * Every metric twice: for the stack, where instances add up, and for the instance. The stack's capacity leaves out
 * draining and cordoned instances: in its average their free slots would scale the group in, and take no call.
 */
export function metricData(
  now: InstanceSnapshot,
  since: Baseline,
  { stack, instance }: Identity,
  at: Date,
): MetricDatum[] {
  const ofStack = { Name: 'Stack', Value: stack };
  const ofInstance = { Name: 'Instance', Value: instance };
  const all = readings(now, since);
  const takesCalls = now.drainState === 'none' && !now.isCordoned;
  const shared = takesCalls ? all : all.filter(({ MetricName }) => MetricName !== CAPACITY);
  return [
    ...shared.map((reading) => ({ ...reading, Dimensions: [ofStack], Timestamp: at })),
    ...all.map((reading) => ({ ...reading, Dimensions: [ofStack, ofInstance], Timestamp: at })),
  ];
}

function readings(now: InstanceSnapshot, since: Baseline): Reading[] {
  const counts = difference(now.counts, since.counts);
  const { startsFailed } = difference(now.instance, since.instance);
  const { refusals } = counts;
  return [
    single(CAPACITY, 'Percent', (now.activeSessions / now.maxSessions) * 100),
    single('ActiveSessions', 'Count', now.activeSessions),
    single('SessionsStarted', 'Count', total(counts.sessionsStarted)),
    single('StartsFailed', 'Count', total(startsFailed)),
    single('SessionsCompleted', 'Count', total(counts.sessionsCompleted)),
    single('SessionsFailed', 'Count', total(counts.sessionsFailed)),
    single('GapMilliseconds', 'Milliseconds', total(counts.gapsMs)),
    ...distributed('LagMilliseconds', counts.lagMs),
    single('LagNowMilliseconds', 'Milliseconds', now.lagNowMs),
    single('KinesisResumes', 'Count', counts.resumes),
    single('KinesisRotations', 'Count', counts.rotations),
    single('DeepgramReconnects', 'Count', total(counts.reconnects)),
    single('DeepgramRefusedAuth', 'Count', refusals['401'] + refusals['402'] + refusals['403']),
    single('DeepgramRefusedRate', 'Count', refusals['429']),
    single('DeepgramWithoutResults', 'Count', counts.withoutResults),
    single('ReplayedMilliseconds', 'Milliseconds', counts.replayedMs),
    single('AudioSecondsIn', 'Seconds', counts.audioInMs.reduce((sum, ms) => sum + ms, 0) / 1000),
    single('AudioSecondsOut', 'Seconds', (counts.audioOutMs * counts.audioInMs.length) / 1000),
    single(
      'ResultsDelivered',
      'Count',
      total(counts.results.delivered.webhook) + total(counts.results.delivered.stream),
    ),
    single('ResultsDeadLetters', 'Count', total(counts.results.deadLetters)),
    single('ResultsLost', 'Count', counts.results.lost),
    single('ResultsBacklog', 'Count', now.resultsBacklog.events),
    single('ResultsBacklogAgeSeconds', 'Seconds', now.resultsBacklog.oldestAgeMs / 1000),
    ...distributed('ResultsDeliveryMilliseconds', counts.results.deliveryMs),
    ...distributed('EventLoopDelayMilliseconds', counts.eventLoopDelayMs),
    single('Draining', 'None', Number(now.drainState !== 'none')),
    single('DrainOverdue', 'None', Number(now.isDrainOverdue)),
    single('CheckpointAgeSeconds', 'Seconds', now.checkpointAgeMs / 1000),
  ];
}

function single(MetricName: string, Unit: Unit, Value: number): Reading {
  return { MetricName, Unit, Value };
}

/**
 * Each bucket's mean and count: average and sum are exact, percentiles as precise as the buckets. No reading when nothing
 * was observed, because CloudWatch rejects empty lists.
 */
function distributed(MetricName: string, { counts, sums }: DistributionSnapshot): Reading[] {
  const used = counts.flatMap((count, bucket) => (count > 0 ? [{ mean: (sums[bucket] ?? 0) / count, count }] : []));
  if (used.length === 0) return [];
  const Values = used.map(({ mean }) => mean);
  return [{ MetricName, Unit: 'Milliseconds', Values, Counts: used.map(({ count }) => count) }];
}

function total(tally: Tally<string>): number {
  return Object.values(tally).reduce((sum, count) => sum + count, 0);
}
