import type { Scrape, Series } from '../metrics/scrape.ts';
import { STEREO_BYTES_PER_MS } from './sound.ts';

/** What is known of a number from outside: the number, or the least and the most that it may be. */
export interface Span {
  readonly least: number;
  readonly most: number;
}

/** What the caller and the stand-ins counted of a run's calls, each by itself. */
export interface Counted {
  /** Answered POST /start-session by what the answer says: `started`, or the reason of a refusal. */
  readonly starts: { readonly succeeded: Tally; readonly failed: Tally };
  /** Calls after whose last fragment a connection brought the next contact. */
  readonly handedOver: number;
  /** GetMedia connections beyond the first of each call. */
  readonly mediaReopened: number;
  /** Of each track what was on the streams, what they lost left out. */
  readonly spokenMs: number;
  /** Call time up to where Deepgram had it in the end, and what of the calls was missing there. */
  readonly reachedMs: number;
  readonly holeMs: number;
  /** What Deepgram read, what came twice included, and what was under way to it when connections broke. */
  readonly heardMs: number;
  readonly unreadMs: Span;
  /** Connections to Deepgram in place of lost ones by how those had closed, and the call time that was sent again. */
  readonly reconnects: Tally;
  readonly replayedMs: Span;
}

type Tally = Readonly<Record<string, number>>;

/** What /metrics says has come of one series, or of some together, beside what was counted outside. */
export interface Comparison {
  readonly series: Series;
  readonly said: number;
  readonly counted: Span;
  readonly agrees: boolean;
}

/** Every series of these must be what was counted: 0 where nothing was. */
const COMPARED = [
  'starts_total',
  'sessions_started_total',
  'sessions_ended_total',
  'audio_received_seconds_total',
  'audio_sent_seconds_total',
  'hole_seconds_total',
  'deepgram_reconnects_total',
  'deepgram_replayed_seconds_total',
  'deepgram_sent_bytes_total',
];
/** An old connection's successor is a rotation, any other a resume: who is asked for one cannot tell which it is. */
const REOPENED = ['integratord_kinesis_resumes_total', 'integratord_kinesis_rotations_total'];
const CHANNELS = ['customer', 'agent'];
const MS_PER_SECOND = 1000;
/** Seconds are sums of binary fractions: they are the same when they are to the sample. */
const SAMPLES_PER_SECOND = 8000;

/** Compares what the daemon has counted between two scrapes with what was counted outside; what is 0 in both is left out. */
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

/** The values of series that are not 0, as those who counted outside know them. */
function expectedOf(counted: Counted): Map<Series, Span> {
  const { starts, reachedMs, heardMs, unreadMs } = counted;
  const started = starts.succeeded['started'] ?? 0;
  const sentMs = { least: heardMs + unreadMs.least, most: heardMs + unreadMs.most };
  return new Map([
    ...series('starts_total', 'reason', starts.succeeded, 'result="success",'),
    ...series('starts_total', 'reason', starts.failed, 'result="fail",'),
    ...series('sessions_started_total', 'origin', { start: started }),
    ...series('sessions_ended_total', 'reason', { 'next-contact': counted.handedOver }, 'outcome="completed",'),
    ...channels('audio_received_seconds_total', counted.spokenMs),
    ...channels('audio_sent_seconds_total', reachedMs),
    ...series('hole_seconds_total', 'cause', { missing: counted.holeMs / MS_PER_SECOND }),
    ...series('deepgram_reconnects_total', 'code', counted.reconnects),
    ['integratord_deepgram_replayed_seconds_total', times(counted.replayedMs, 1 / MS_PER_SECOND)],
    ['integratord_deepgram_sent_bytes_total', times(sentMs, STEREO_BYTES_PER_MS)],
  ]);
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

/** A number, or from where to where it may be. */
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
