import type { Scrape, Series } from '../metrics/scrape.ts';
import { STEREO_BYTES_PER_MS } from './sound.ts';

/** What an observer knows of a number: its bounds, which may be equal. */
export interface Span {
  readonly least: number;
  readonly most: number;
}

/** What the caller and the simulators counted. */
export interface Counted {
  /** Responses to POST /start-session, by status (`started`) or reason. */
  readonly starts: { readonly succeeded: Tally; readonly failed: Tally };
  /** Calls that were delivered whole, followed by the next contact. */
  readonly handedOver: number;
  /** GetMedia connections after the first of each call. */
  readonly mediaReopened: number;
  /** Audio on the streams, per track, without what they lost. */
  readonly spokenMs: number;
  /** Call time that Deepgram reached, and what is missing in it. */
  readonly reachedMs: number;
  readonly gapMs: number;
  /** What Deepgram read, including repeats, and what was in flight when connections broke. */
  readonly heardMs: number;
  readonly unreadMs: Span;
  /** Reconnects to Deepgram by the close code of the lost connection, and the call time that was sent again. */
  readonly reconnects: Tally;
  readonly replayedMs: Span;
  /** With a results relay. */
  readonly results?: CountedResults | undefined;
}

/** What the consumer of a results relay counted. */
export interface CountedResults {
  /** By type; `interim` is a transcript that is not final. */
  readonly events: Tally;
  readonly requests: number;
  /** Interims that Deepgram sent and that did not arrive. */
  readonly hintsDropped: number;
}

type Tally = Readonly<Record<string, number>>;

/** The growth of one or several series in /metrics, next to what was counted outside. */
export interface Comparison {
  readonly series: Series;
  readonly said: number;
  readonly counted: Span;
  readonly agrees: boolean;
}

/** Every series of these metrics must equal what was counted, which is 0 if nothing was. */
const COMPARED = [
  'starts_total',
  'sessions_started_total',
  'sessions_ended_total',
  'audio_received_seconds_total',
  'audio_sent_seconds_total',
  'gap_seconds_total',
  'deepgram_reconnects_total',
  'deepgram_replayed_seconds_total',
  'deepgram_sent_bytes_total',
  'results_events_total',
  'results_deliveries_total',
  'results_delivery_seconds_count',
  'results_dead_letters_total',
  'results_lost_total',
  'results_hints_dropped_total',
];
/** From outside, a rotation and a resumption look the same. */
const REOPENED = ['integratord_kinesis_resumes_total', 'integratord_kinesis_rotations_total'];
const CHANNELS = ['customer', 'agent'];
const MS_PER_SECOND = 1000;
/** Seconds are sums of binary fractions, so they are compared as samples. */
const SAMPLES_PER_SECOND = 8000;

/** Compares what the daemon counted between two scrapes with what was counted outside. Omits what is 0 in both. */
export function compared(before: Scrape, after: Scrape, counted: Counted): Comparison[] {
  const come = (series: Series) => toTheSample((after.get(series) ?? 0) - (before.get(series) ?? 0));
  const expected = expectedOf(counted);
  const names = COMPARED.map((name) => `integratord_${name}`);
  const known = [...after.keys()].filter((series) => names.includes(series.split('{')[0] as string));
  const each = [...new Set([...known, ...expected.keys()])].map((series) =>
    comparison(series, come(series), expected.get(series) ?? exactly(0)),
  );
  const reopened = REOPENED.reduce((sum, series) => sum + come(series), 0);
  return [...each, comparison(REOPENED.join(' + '), reopened, exactly(counted.mediaReopened))].filter(
    ({ said, counted: { most }, agrees }) => said !== 0 || most !== 0 || !agrees,
  );
}

/** Expected values of the series that are not 0. */
function expectedOf(counted: Counted): Map<Series, Span> {
  const { starts, reachedMs, heardMs, unreadMs, results } = counted;
  const started = starts.succeeded['started'] ?? 0;
  const sentMs = { least: heardMs + unreadMs.least, most: heardMs + unreadMs.most };
  return new Map([
    ...series('starts_total', 'reason', starts.succeeded, 'result="success",'),
    ...series('starts_total', 'reason', starts.failed, 'result="fail",'),
    ...series('sessions_started_total', 'origin', { start: started }),
    ...series('sessions_ended_total', 'reason', { 'next-contact': counted.handedOver }, 'outcome="completed",'),
    ...channels('audio_received_seconds_total', counted.spokenMs),
    ...channels('audio_sent_seconds_total', reachedMs),
    ...series('gap_seconds_total', 'cause', { missing: counted.gapMs / MS_PER_SECOND }),
    ...series('deepgram_reconnects_total', 'code', counted.reconnects),
    ['integratord_deepgram_replayed_seconds_total', times(counted.replayedMs, 1 / MS_PER_SECOND)],
    ['integratord_deepgram_sent_bytes_total', times(sentMs, STEREO_BYTES_PER_MS)],
    ...(results ? expectedResults(results) : []),
  ]);
}

function expectedResults({ events, requests, hintsDropped }: CountedResults): [Series, Span][] {
  return [
    ...series('results_events_total', 'type', events, 'sink="webhook",'),
    ...series('results_deliveries_total', 'outcome', { delivered: requests }, 'sink="webhook",'),
    ['integratord_results_delivery_seconds_count', exactly(events['transcript'] ?? 0)],
    ['integratord_results_hints_dropped_total', exactly(hintsDropped)],
  ];
}

function series(name: string, label: string, tally: Tally, others = ''): [Series, Span][] {
  return Object.entries(tally).map(([value, count]) => [
    `integratord_${name}{${others}${label}="${value}"}`,
    exactly(count),
  ]);
}

function channels(name: string, ms: number): [Series, Span][] {
  return series(name, 'channel', Object.fromEntries(CHANNELS.map((channel) => [channel, ms / MS_PER_SECOND])));
}

function comparison(name: Series, said: number, { least, most }: Span): Comparison {
  const counted = { least: toTheSample(least), most: toTheSample(most) };
  return { series: name, said, counted, agrees: said >= counted.least && said <= counted.most };
}

/** A number, or its bounds. */
export function spanText({ least, most }: Span): string {
  return least === most ? String(least) : `${least} to ${most}`;
}

function exactly(value: number): Span {
  return { least: value, most: value };
}

function times({ least, most }: Span, factor: number): Span {
  return { least: least * factor, most: most * factor };
}

function toTheSample(value: number): number {
  return Math.round(value * SAMPLES_PER_SECOND) / SAMPLES_PER_SECOND;
}
