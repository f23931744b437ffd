import test from 'ava';
import { readScrape } from '../metrics/scrape.ts';
import { spreadBetween } from './bucket-spread.ts';
import { type Counted, compared } from './comparison.ts';
import { reconnectsOf } from './reconnects.ts';

/** Two calls of 10 s, one of which lost a connection to Deepgram, after a warm-up call. */
const COUNTED: Counted = {
  starts: { succeeded: { started: 2 }, failed: { full: 1 } },
  handedOver: 2,
  mediaReopened: 1,
  spokenMs: 19_000,
  reachedMs: 20_000,
  gapMs: 1000,
  heardMs: 21_900,
  unreadMs: { least: 100, most: 100 },
  reconnects: { '1011': 1 },
  replayedMs: { least: 2000, most: 2000 },
};
const BEFORE = scrapeOf({
  'starts_total{result="success",reason="started"}': 1,
  'audio_sent_seconds_total{channel="agent"}': 0.1,
});
const AFTER = {
  'starts_total{result="success",reason="started"}': 3,
  'starts_total{result="fail",reason="full"}': 1,
  'starts_total{result="fail",reason="draining"}': 0,
  'sessions_started_total{origin="start"}': 2,
  'sessions_ended_total{outcome="completed",reason="next-contact"}': 2,
  'audio_received_seconds_total{channel="customer"}': 19,
  'audio_received_seconds_total{channel="agent"}': 19,
  'audio_sent_seconds_total{channel="customer"}': 20,
  // How sums of binary fractions are printed.
  'audio_sent_seconds_total{channel="agent"}': 20.100000000000005,
  'gap_seconds_total{cause="missing"}': 1,
  'gap_seconds_total{cause="unsent"}': 0,
  kinesis_resumes_total: 0,
  kinesis_rotations_total: 1,
  'deepgram_reconnects_total{code="1011"}': 1,
  deepgram_replayed_seconds_total: 2,
  deepgram_sent_bytes_total: 22_000 * 32,
};

function scrapeOf(values: Record<string, number>) {
  return readScrape(
    Object.entries(values)
      .map(([series, value]) => `integratord_${series} ${value}\n`)
      .join(''),
  );
}

function differing(after: Record<string, number>, counted = COUNTED) {
  return compared(BEFORE, scrapeOf(after), counted)
    .filter(({ agrees }) => !agrees)
    .map(({ series, said, counted: { least, most } }) => [series.replace('integratord_', ''), said, least, most]);
}

test('metrics that grew by the counts agree, whatever their previous values', (t) => {
  t.deepEqual(differing(AFTER), []);
  t.is(compared(BEFORE, scrapeOf(AFTER), COUNTED).length, 13, 'what is 0 in both is left out');
});

test('only a metric that is off by one sample, byte or count differs', (t) => {
  for (const [series, value] of Object.entries(AFTER)) {
    const little = series.includes('seconds') ? 1 / 8000 : 1;
    t.is(differing({ ...AFTER, [series]: value + little }).length, 1, series);
    t.is(differing({ ...AFTER, [series]: value - little }).length, 1, series);
  }
});

test('a count without a metric differs', (t) => {
  const { 'starts_total{result="fail",reason="full"}': _, ...silent } = AFTER;
  t.deepEqual(differing(silent), [['starts_total{result="fail",reason="full"}', 0, 1, 1]]);
});

test('where only the daemon can know the exact number, any possible value agrees', (t) => {
  const counted = { ...COUNTED, replayedMs: { least: 500, most: 2000 }, unreadMs: { least: 0, most: 1500 } };
  t.deepEqual(differing({ ...AFTER, deepgram_replayed_seconds_total: 0.5 }, counted), []);
  const name = 'deepgram_replayed_seconds_total';
  t.deepEqual(differing({ ...AFTER, [name]: 0.4 }, counted), [[name, 0.4, 0.5, 2]]);
  t.deepEqual(differing({ ...AFTER, [name]: 2.1 }, counted), [[name, 2.1, 0.5, 2]]);
});

test('events of the results relay agree only with what the consumer received', (t) => {
  const results = { events: { transcript: 5, interim: 8, 'session.ended': 2 }, requests: 9, hintsDropped: 1 };
  const after = {
    ...AFTER,
    'results_events_total{sink="webhook",type="transcript"}': 5,
    'results_events_total{sink="webhook",type="interim"}': 8,
    'results_events_total{sink="webhook",type="session.ended"}': 2,
    'results_deliveries_total{sink="webhook",outcome="delivered"}': 9,
    results_delivery_seconds_count: 5,
    results_hints_dropped_total: 1,
  };
  const counted = { ...COUNTED, results };
  t.deepEqual(differing(after, counted), []);
  for (const [series, value] of Object.entries(after).filter(([name]) => name.startsWith('results_'))) {
    t.is(differing({ ...after, [series]: value + 1 }, counted).length, 1, series);
    t.is(differing({ ...AFTER, [series]: value }).length, 1, `${series} without a relay`);
  }
  t.is(differing({ ...after, 'results_deliveries_total{sink="webhook",outcome="retry"}': 1 }, counted).length, 1);
  t.is(differing({ ...after, results_lost_total: 1 }, counted).length, 1);
});

test('the offset of a new connection shows how far the lost one had come', (t) => {
  const [reconnect, ...others] = reconnectsOf([
    { fromMs: 0, toMs: 6900, closeCode: 1006 },
    { fromMs: 5000, toMs: 9000, closeCode: 1000 },
  ]);
  t.deepEqual(others, []);
  t.deepEqual(reconnect, {
    closeCode: 1006,
    replayedMs: { least: 2000, most: 2000 },
    unreadMs: { least: 100, most: 100 },
  });
});

test('a new connection at the offset of the lost one leaves open how far that had come', (t) => {
  const connections = [
    { fromMs: 0, toMs: 600, closeCode: 1011 },
    { fromMs: 0, toMs: 9000, closeCode: 1000 },
  ];
  t.deepEqual(reconnectsOf(connections), [
    { closeCode: 1011, replayedMs: { least: 600, most: 2000 }, unreadMs: { least: 0, most: 1400 } },
  ]);
});

test('percentiles of a histogram cover the samples between two scrapes', (t) => {
  const page = (...counts: readonly number[]) =>
    readScrape(['0.01', '0.025', '+Inf'].map((le, i) => `late_seconds_bucket{le="${le}"} ${counts[i]}`).join('\n'));
  const spread = (...counts: readonly number[]) => spreadBetween(page(5, 6, 7), page(...counts), 'late_seconds');
  t.deepEqual(spread(5, 6, 7), { count: 0, mean: 0, p50: 0, p99: 0, max: 0 });
  t.like(spread(55, 106, 107), { count: 100, p50: 10, p99: 25, max: 25 });
  t.like(spread(5, 6, 8), { count: 1, p50: null, p99: null, max: null });
});
