import type { DistributionSnapshot } from './distribution.ts';
import { DRAIN_STATES, type InstanceSnapshot } from './instance-metrics.ts';
import { DELIVERY_BOUNDS_MS, END_TO_END_BOUNDS_MS, RESULT_SINKS } from './results-metrics.ts';
import { BEHIND_BOUNDS_MS, DELAY_BOUNDS_MS, LAG_BOUNDS_MS } from './session-metrics.ts';
import type { Tally } from './tally.ts';

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Described {
  readonly name: string;
  /** Prometheus base unit; empty for a plain count. */
  readonly unit: 'seconds' | 'bytes' | 'ratio' | '';
  readonly labels: readonly string[];
  readonly help: string;
}

/** A metric, and how to read its values from a snapshot. */
export type Metric = Described &
  (
    | { readonly type: 'gauge' | 'counter'; readonly samples: (now: InstanceSnapshot) => readonly Sample[] }
    | {
        readonly type: 'histogram';
        readonly boundsMs: readonly number[];
        readonly distribution: (now: InstanceSnapshot) => DistributionSnapshot;
      }
  );

const CHANNEL_NAMES = ['customer', 'agent'] as const;
const S_PER_MS = 1 / 1000;

const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
const each = (label: string, tally: Tally<string>, factor = 1, others: Record<string, string> = {}): Sample[] =>
  Object.entries(tally).map(([name, count]) => ({ labels: { ...others, [label]: name }, value: count * factor }));
const perChannel = (read: (channel: number) => number): readonly Sample[] =>
  CHANNEL_NAMES.map((name, channel) => ({ labels: { channel: name }, value: read(channel) }));

function gauge(
  name: string,
  help: string,
  samples: (now: InstanceSnapshot) => readonly Sample[],
  labels: string[] = [],
) {
  return { type: 'gauge', name: `integratord_${name}`, unit: unitOf(name), labels, help, samples } as const;
}

function counter(
  name: string,
  help: string,
  samples: (now: InstanceSnapshot) => readonly Sample[],
  labels: string[] = [],
) {
  return { type: 'counter', name: `integratord_${name}_total`, unit: unitOf(name), labels, help, samples } as const;
}

function histogram(
  name: string,
  help: string,
  boundsMs: readonly number[],
  distribution: (now: InstanceSnapshot) => DistributionSnapshot,
) {
  const described = { name: `integratord_${name}`, unit: unitOf(name), labels: [], help } as const;
  return { type: 'histogram', ...described, boundsMs, distribution } as const;
}

function unitOf(name: string): Described['unit'] {
  return (['seconds', 'bytes', 'ratio'] as const).find((unit) => name.endsWith(`_${unit}`)) ?? '';
}

/** Every metric of integratord, in the order of README.md's table. */
export const METRICS: readonly Metric[] = [
  gauge('sessions_active', 'Sessions that are running or starting', ({ activeSessions }) => one(activeSessions)),
  gauge('sessions_limit', 'Most sessions that are accepted at once (MAX_SESSIONS)', ({ maxSessions }) =>
    one(maxSessions),
  ),
  gauge(
    'capacity_used_ratio',
    'Active sessions as a fraction of the limit, 0 to 1',
    ({ activeSessions, maxSessions }) => one(activeSessions / maxSessions),
  ),
  counter(
    'starts',
    'Answered POST /start-session requests, by result (success, fail) and reason',
    ({ instance }) => [
      ...each('reason', instance.startsSucceeded, 1, { result: 'success' }),
      ...each('reason', instance.startsFailed, 1, { result: 'fail' }),
    ],
    ['result', 'reason'],
  ),
  counter(
    'sessions_started',
    'Sessions started by a start request, or resumed from a checkpoint after a crash',
    ({ counts }) => each('origin', counts.sessionsStarted),
    ['origin'],
  ),
  counter(
    'sessions_ended',
    'Ended sessions, by outcome (completed, failed) and reason; for failures the kind of error',
    ({ counts }) => [
      ...each('reason', counts.sessionsCompleted, 1, { outcome: 'completed' }),
      ...each('reason', counts.sessionsFailed, 1, { outcome: 'failed' }),
    ],
    ['outcome', 'reason'],
  ),
  counter(
    'audio_received_seconds',
    'Audio received from Kinesis, per channel (customer, agent)',
    ({ counts }) => perChannel((channel) => (counts.audioInMs[channel] ?? 0) * S_PER_MS),
    ['channel'],
  ),
  counter(
    'audio_sent_seconds',
    'Audio sent to Deepgram for the first time, including silence, per channel',
    ({ counts }) => perChannel(() => counts.audioOutMs * S_PER_MS),
    ['channel'],
  ),
  counter(
    'gap_seconds',
    'Audio that is missing from the stream or was never sent to Deepgram, by cause',
    ({ counts }) => each('cause', counts.gapsMs, S_PER_MS),
    ['cause'],
  ),
  counter(
    'not_streamed_seconds',
    'Call time in which the contact flow did not stream: between a Stop and a Start media streaming block',
    ({ counts }) => one(counts.notStreamedMs * S_PER_MS),
  ),
  counter(
    'audio_repeated_seconds',
    'Audio that the producer sent again, for example after it reconnected; it was left out',
    ({ counts }) => one(counts.repeatedMs * S_PER_MS),
  ),
  histogram(
    'lag_seconds',
    'How late audio is handed to the socket to Deepgram, per 64 ms of a call (daemon/README.md, decision 18)',
    LAG_BOUNDS_MS,
    ({ counts }) => counts.lagMs,
  ),
  gauge('lag_now_seconds', 'Largest lag of any session now, including audio that waits to be sent', ({ lagNowMs }) =>
    one(lagNowMs * S_PER_MS),
  ),
  histogram(
    'kinesis_behind_now_seconds',
    'How far behind the end of its stream a session reads, per fragment (AWS_KINESISVIDEO_MILLIS_BEHIND_NOW)',
    BEHIND_BOUNDS_MS,
    ({ counts }) => counts.behindNowMs,
  ),
  counter('kinesis_received_bytes', 'Bytes of GetMedia response bodies', ({ counts }) => one(counts.kinesisBytes)),
  counter('kinesis_rotations', 'GetMedia connections replaced because of their age', ({ counts }) =>
    one(counts.rotations),
  ),
  counter('kinesis_resumes', 'GetMedia connections opened after one ended, broke or stalled', ({ counts }) =>
    one(counts.resumes),
  ),
  counter('deepgram_sent_bytes', 'Bytes of audio written to Deepgram sockets, including replays', ({ counts }) =>
    one(counts.deepgramBytes),
  ),
  counter(
    'deepgram_reconnects',
    'Lost connections to Deepgram that were replaced, by WebSocket close code',
    ({ counts }) => each('code', counts.reconnects),
    ['code'],
  ),
  counter('deepgram_replayed_seconds', 'Call time sent again after a reconnect', ({ counts }) =>
    one(counts.replayedMs * S_PER_MS),
  ),
  counter(
    'deepgram_refusals',
    'Handshakes refused by Deepgram, by HTTP status; unreachable: no response',
    ({ counts }) => each('status', counts.refusals),
    ['status'],
  ),
  counter('deepgram_keepalives', 'KeepAlive messages sent while there was no audio', ({ counts }) =>
    one(counts.keepAlives),
  ),
  counter(
    'deepgram_without_results',
    'Streams that gave no results for 30 s of audio, or for a whole call, where results come back',
    ({ counts }) => one(counts.withoutResults),
  ),
  counter(
    'results_events',
    'Events of the results relay that were delivered, by sink (webhook, stream) and type; interim: a transcript that is not final',
    ({ counts }) => RESULT_SINKS.flatMap((sink) => each('type', counts.results.delivered[sink], 1, { sink })),
    ['sink', 'type'],
  ),
  counter(
    'results_deliveries',
    'Attempts to deliver a batch of events, by sink and outcome',
    ({ counts }) => RESULT_SINKS.flatMap((sink) => each('outcome', counts.results.attempts[sink], 1, { sink })),
    ['sink', 'outcome'],
  ),
  counter(
    'results_dead_letters',
    'Events that were given up and are kept as dead letters, by sink (integratorctl results)',
    ({ counts }) => each('sink', counts.results.deadLetters),
    ['sink'],
  ),
  counter(
    'results_lost',
    'Numbered events that are gone: they exceeded RESULTS_SPOOL_MIB or were given up, and could not be kept as dead letters; and those of dead letters that made room for later ones',
    ({ counts }) => one(counts.results.lost),
  ),
  counter('results_hints_dropped', 'Interims and other hints left out while events waited', ({ counts }) =>
    one(counts.results.hintsDropped),
  ),
  gauge('results_backlog_events', 'Numbered events that wait to be delivered', ({ resultsBacklog }) =>
    one(resultsBacklog.events),
  ),
  gauge(
    'results_backlog_age_seconds',
    'Age of the oldest event that waits to be delivered; 0 without any',
    ({ resultsBacklog }) => one(resultsBacklog.oldestAgeMs * S_PER_MS),
  ),
  histogram(
    'results_delivery_seconds',
    'Time from the arrival of a final result to its delivery',
    DELIVERY_BOUNDS_MS,
    ({ counts }) => counts.results.deliveryMs,
  ),
  histogram(
    'results_end_to_end_seconds',
    'Time from the end of the audio of a final result, by the time of the call, to its delivery',
    END_TO_END_BOUNDS_MS,
    ({ counts }) => counts.results.endToEndMs,
  ),
  histogram(
    'event_loop_delay_seconds',
    'Worst delay of the event loop in each second, of each thread',
    DELAY_BOUNDS_MS,
    ({ counts }) => counts.eventLoopDelayMs,
  ),
  gauge(
    'drain_state',
    '1 for the current state: none, draining, ending-rest or drained',
    ({ drainState }) => DRAIN_STATES.map((state) => ({ labels: { state }, value: Number(state === drainState) })),
    ['state'],
  ),
  gauge('drain_sessions_left', 'Sessions that a drain is waiting for; 0 without a drain', ({ drainSessionsLeft }) =>
    one(drainSessionsLeft),
  ),
  gauge('drain_overdue', '1 while sessions run past the drain deadline', ({ isDrainOverdue }) =>
    one(Number(isDrainOverdue)),
  ),
  gauge('cordoned', '1 while an operator has cordoned the instance', ({ isCordoned }) => one(Number(isCordoned))),
  gauge(
    'checkpoint_age_seconds',
    'Age of the oldest checkpoint of a running session; 0 without checkpoints',
    ({ checkpointAgeMs }) => one(checkpointAgeMs * S_PER_MS),
  ),
  counter(
    'cloudwatch_puts',
    'PutMetricData requests to CloudWatch, by result (ok, failed); none without METRICS_STACK',
    ({ instance }) => each('result', instance.cloudWatchPuts),
    ['result'],
  ),
];
