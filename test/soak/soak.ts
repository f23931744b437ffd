import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Counted, compared, spanText } from '../load/comparison.ts';
import { Daemon } from '../load/daemon.ts';
import type { HeardFigures } from '../load/heard-call.ts';
import type { KinesisOrders, KinesisSettings } from '../load/kinesis.ts';
import { Simulator } from '../load/simulator.ts';
import { BLOCK_MS } from '../load/sound.ts';
import type { Scrape } from '../metrics/scrape.ts';
import { notZero } from '../metrics/scrape.ts';
import type { SoakDeepgramOrders, SoakDeepgramSettings } from './deepgram.ts';

interface SoakOptions {
  readonly calls: number;
  readonly seconds: number;
  readonly seed: number;
}

export interface SoakReport {
  readonly failures: readonly string[];
  readonly saidSeconds: number;
  readonly missingMs: number;
  readonly connections: number;
  readonly refusals: number;
  readonly losses: Readonly<Record<string, number>>;
  /** What the daemon logged about the calls. */
  readonly log: readonly object[];
  /** What Deepgram did with each handshake. */
  readonly record: readonly object[];
  readonly trouble: Readonly<Record<string, number>>;
}

const STARTS_PER_SECOND = 25;
/** The default of REPLAY_MS. */
const REPLAY_MS = 6000;
/** A session waits for a connection, and for a backlog, which lasts four times as long as an outage. */
const END_TIMEOUT_MS = 240_000;
/** A line that went silent is replaced by then. */
const CALM_MS = 20_000;
const MS_PER_SECOND = 1000;
const SAMPLES_PER_SECOND = 8000;

/** Calls in real time to a Deepgram of all moods; half of them have a callback, the others get their results back. */
export async function soak({ calls, seconds, seed }: SoakOptions, cleanup: AsyncDisposableStack): Promise<SoakReport> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-soak-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const kinesis = new Simulator<KinesisOrders>('kinesis.ts', { tls: null } satisfies KinesisSettings);
  cleanup.defer(() => kinesis.stop());
  const deepgram = new Simulator<SoakDeepgramOrders>('../soak/deepgram.ts', { seed } satisfies SoakDeepgramSettings);
  cleanup.defer(() => deepgram.stop());
  const [kinesisUrl, deepgramUrl] = await Promise.all([kinesis.order('listening'), deepgram.order('listening')]);
  const settings = { script: 'daemon/main.ts', checkpoints: true, workers: undefined, replayMs: REPLAY_MS };
  const daemon = new Daemon({ ...settings, kinesisUrl, deepgramUrl, directory });
  cleanup.defer(() => daemon.kill());
  await daemon.listening();
  const before = await daemon.scrape();

  const all = Array.from({ length: calls }, (_, call) => call);
  const starting = all.map(async (call) => {
    await sleep((call / STARTS_PER_SECOND) * MS_PER_SECOND);
    const beganAtEpochMs = await kinesis.order('beginCall', call);
    return daemon.startSession(call, { beganAtEpochMs, ...(call % 2 !== 0 && { callback: null }) });
  });
  const starts = await Promise.all(starting);
  const started = starts.filter(({ failure }) => failure === undefined).map(({ call }) => call);
  const toCalmMs = Math.max(0, seconds * MS_PER_SECOND - CALM_MS);
  const calling = sleep(toCalmMs)
    .then(() => deepgram.order('calm'))
    .then(() => sleep(seconds * MS_PER_SECOND - toCalmMs));
  await Promise.race([calling, daemon.failed, kinesis.failed, deepgram.failed]);
  await kinesis.order('hangUp', started);
  const unended = await daemon.ended(started, END_TIMEOUT_MS);

  const said = (await kinesis.order('totals')).filter(({ call }) => started.includes(call));
  const heard = await deepgram.order('totals', said);
  const counts = await deepgram.order('counts');
  const after = await daemon.scrape();
  const saidMs = sum(said.map(({ blocks }) => blocks)) * BLOCK_MS;
  const missingMs = sum(heard.map(({ gapMs }) => gapMs));
  const { failed, trouble } = daemon.said(started);
  const counted = countedOf(said, heard, starts);
  const failures = [
    ...starts.flatMap(({ failure }) => (failure === undefined ? [] : [`a start failed: ${failure}`])),
    ...(missingMs > 0
      ? [`${missingMs} ms missing in ${heard.filter(({ gapMs }) => gapMs > 0).map(({ call }) => call)}`]
      : []),
    ...(failed > 0 ? [`${failed} sessions failed`] : []),
    ...(unended.length > 0 ? [`${unended.length} sessions did not end: ${unended}`] : []),
    ...heard.filter(({ wrongBlocks }) => wrongBlocks > 0).map(({ call }) => `wrong audio in call ${call}`),
    ...compared(before, after, counted)
      .filter(({ agrees }) => !agrees)
      .map(({ series, said, counted }) => `/metrics has ${series} ${said}, but ${spanText(counted)} was counted`),
    ...differences(after, counts),
    ...(heard.every(({ receivedMs }) => receivedMs === 0) ? ['no audio arrived'] : []),
  ];
  return {
    failures,
    saidSeconds: saidMs / MS_PER_SECOND,
    missingMs,
    connections: sum(heard.map(({ reconnects }) => reconnects.length + 1)),
    refusals: sum(Object.values(counts.refusals)),
    losses: counts.losses,
    log: heard.flatMap(({ call }) => daemon.linesOf(call)),
    record: await deepgram.order('record'),
    trouble,
  };
}

function countedOf(
  said: readonly { blocks: number; isOver: boolean; connections: number }[],
  heard: readonly HeardFigures[],
  starts: readonly { status: string | undefined; reason: string | undefined }[],
): Counted {
  const reconnects = heard.flatMap((call) => call.reconnects);
  return {
    starts: { succeeded: tally(starts.map(({ status }) => status)), failed: tally(starts.map(({ reason }) => reason)) },
    handedOver: said.filter(({ isOver }) => isOver).length,
    mediaReopened: sum(said.map(({ connections }) => connections - 1)),
    spokenMs: sum(said.map(({ blocks }) => blocks)) * BLOCK_MS,
    reachedMs: sum(heard.map(({ reachedMs }) => reachedMs)),
    gapMs: 0,
    heardMs: sum(heard.map(({ receivedMs }) => receivedMs)),
    // Audio that was in flight, or waited in Deepgram, is repeated without having been processed.
    unreadMs: { least: 0, most: Infinity },
    reconnects: tally(reconnects.map(({ closeCode }) => labelOf(closeCode))),
    replayedMs: { least: sum(reconnects.map(({ replayedMs }) => replayedMs.least)) === 0 ? 0 : 1, most: Infinity },
  };
}

/** Refusals, KeepAlives, and that every byte sent is either new or sent again. */
function differences(
  after: Scrape,
  { refusals, keepAlives }: { refusals: Readonly<Record<string, number>>; keepAlives: number },
): string[] {
  const said = notZero(after, 'integratord_deepgram_refusals_total');
  const counted = Object.fromEntries(Object.entries(refusals).map(([label, count]) => [`{status="${label}"}`, count]));
  const labels = [...new Set([...Object.keys(said), ...Object.keys(counted)])];
  const value = (series: string) => after.get(`integratord_${series}`) ?? 0;
  const sentSamples = value('deepgram_sent_bytes_total') / 4;
  const seconds = value('audio_sent_seconds_total{channel="customer"}') + value('deepgram_replayed_seconds_total');
  return [
    ...labels
      .filter((label) => said[label] !== counted[label])
      .map((label) => `/metrics has ${said[label]} refusals ${label}, but ${counted[label]} were counted`),
    ...(value('deepgram_keepalives_total') < keepAlives
      ? [`${keepAlives} KeepAlives came, more than /metrics has`]
      : []),
    ...(sentSamples === Math.round(seconds * SAMPLES_PER_SECOND)
      ? []
      : [
          `/metrics has ${sentSamples} samples sent, but ${Math.round(seconds * SAMPLES_PER_SECOND)} new or sent again`,
        ]),
  ];
}

/** daemon/metrics/README.md: the labels of close codes. */
const KNOWN_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013]);

function labelOf(code: number): string {
  return KNOWN_CODES.has(code) ? String(code) : 'other';
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function tally(words: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) if (word !== undefined) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
