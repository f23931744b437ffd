/**
 * Measures what delivery costs: `node test/results/measure-delivery.ts --calls 800 --seconds 30`. Each call has a final
 * per channel every 4 s, with Deepgram's message in it; the consumer is another process, over HTTPS, and answers after
 * 50 ms. Prints CPU per second of call and how late finals are delivered.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Command } from 'commander';
import type { NumberedContent } from '../../daemon/contract/events.ts';
import { createLog } from '../../daemon/log/log.ts';
import { DELIVERY_BOUNDS_MS } from '../../daemon/metrics/results-metrics.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { Results } from '../../daemon/results/results.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { Egress } from '../../daemon/runtime/egress.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { makeCertificates } from '../load/certificates.ts';
import { Program } from '../support/process.ts';

const FINAL_EVERY_MS = 4000;
const CHANNELS = 2;
const WORDS = 10;

const { calls, seconds, disk, interims } = new Command('measure-delivery')
  .option('--calls <number>', 'calls at once', Number, 800)
  .option('--seconds <number>', 'how long', Number, 30)
  .option('--no-disk', 'without STATE_DIR')
  .option('--interims <number>', 'interims per second and channel', Number, 0)
  .parse()
  .opts<{ calls: number; seconds: number; disk: boolean; interims: number }>();

const directory = await mkdtemp(join(tmpdir(), 'integratord-measure-'));
const secret = `whsec_${randomBytes(32).toString('base64')}`;
const { keyPath, certPath, caPath } = await makeCertificates(directory);
setDefaultCACertificates([...getCACertificates(), await readFile(caPath, 'utf8')]);
const consumer = new Program('test/simulators/webhook/main.ts', [
  '--secret',
  secret,
  '--cert',
  certPath,
  '--key',
  keyPath,
  '--no-keep-text',
  '--keep-nothing',
  '--delay',
  '50',
]);
const url = (await consumer.listening()).replace('http:', 'https:');
const metrics = new SessionMetrics();
const results = new Results({
  settings: {
    webhook: `${url}/calls`,
    streamArn: undefined,
    spoolBytes: 768 * 1024 * 1024,
    giveUpMs: 3_600_000,
    deadLetters: undefined,
    allowsLocal: true,
  },
  stateDir: disk ? directory : undefined,
  region: 'us-east-1',
  egress: new Egress(),
  secrets: {
    resultsSecret: fixedSecret(secret),
    stateKey: fixedSecret('a state key of a test'),
    deepgramKey: fixedSecret('key'),
  },
  thread: 'main',
  threads: 1,
  counter: metrics.results,
  clock: systemClock,
  timers: new TimerWheel(systemClock),
  log: createLog('silent'),
  random: Math.random,
});
const MESSAGE = JSON.stringify({
  type: 'Results',
  channel_index: [0, 2],
  duration: 4,
  start: 100,
  is_final: true,
  speech_final: true,
  channel: {
    alternatives: [
      {
        transcript: 'word '.repeat(WORDS),
        confidence: 0.98,
        words: Array.from({ length: WORDS }, (_, index) => ({
          word: 'word',
          start: index * 0.4,
          end: index * 0.4 + 0.3,
          confidence: 0.98,
          punctuated_word: 'word,',
        })),
      },
    ],
  },
  metadata: {
    request_id: randomUUID(),
    model_info: { name: 'general-nova-3', version: '2025-01-01.1', arch: 'nova-3' },
    model_uuid: randomUUID(),
  },
});

/** As the relay does: parses Deepgram's message and makes an event of it. */
function finalAt(ms: number, speaker: 'CUSTOMER' | 'AGENT'): NumberedContent {
  const deepgram = JSON.parse(MESSAGE) as {
    channel: { alternatives: { words: { word: string; start: number; end: number; confidence: number }[] }[] };
  };
  const words = (deepgram.channel.alternatives[0]?.words ?? []).map(({ word, start, end, confidence }) => ({
    text: word,
    startMs: ms + start * 1000,
    endMs: ms + end * 1000,
    confidence,
  }));
  const text = words.map((word) => word.text).join(' ');
  return {
    type: 'transcript',
    final: true,
    speechFinal: true,
    speaker,
    startMs: ms,
    endMs: ms + FINAL_EVERY_MS,
    text,
    confidence: 0.98,
    connection: 1,
    words,
    dropped: 0,
    deepgram: deepgram as unknown as Record<string, unknown>,
  };
}

const logs = await Promise.all(
  Array.from({ length: calls }, async (_, index) => {
    const request = { contactId: `contact-${index}`, dgParams: {}, enforceRealtime: false };
    const log = await results.openEvents(
      { sessionId: randomUUID(), request, timeZeroEpochMs: Date.now() },
      { isResumed: false },
    );
    if (!log) throw new Error('the events go nowhere');
    return log;
  }),
);
/** Sessions' finals are spread evenly over time, and channels of a session are half an interval apart. */
const slots = logs.flatMap((log, index) =>
  (['CUSTOMER', 'AGENT'] as const).map((speaker, channel) => ({
    log,
    speaker,
    offsetMs: ((index / calls + channel / CHANNELS) % 1) * FINAL_EVERY_MS,
  })),
);
slots.sort((one, other) => one.offsetMs - other.offsetMs);
const words10 = Array.from({ length: WORDS }, () => ({ text: 'word', startMs: 1000, endMs: 1300, confidence: 0.98 }));

async function run(milliseconds: number): Promise<void> {
  const startedAt = performance.now();
  let sent = 0;
  for (let atMs = 0; atMs < milliseconds; atMs = performance.now() - startedAt) {
    const due = Math.floor((atMs / FINAL_EVERY_MS) * slots.length);
    for (; sent < due; sent++) {
      const { log, speaker } = slots[sent % slots.length] as (typeof slots)[number];
      const content = finalAt(atMs, speaker);
      for (let nth = 0; nth < interims * (FINAL_EVERY_MS / 1000); nth++)
        log.hint({
          type: 'transcript',
          final: false,
          speaker,
          startMs: atMs,
          endMs: atMs + 1000,
          text: 'word '.repeat(WORDS),
          confidence: 0.9,
          connection: 1,
        });
      log.append(content, { finalMs: [atMs, atMs], lastWords: [words10, words10], finals: log.sequence + 1 });
    }
    await systemClock.sleep(5);
  }
}

await run(5000);
const before = process.cpuUsage();
const countsBefore = metrics.results.snapshot().deliveryMs.counts;
const startedAt = performance.now();
await run(seconds * 1000);
const tookMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(before);
const counts = metrics.results.snapshot().deliveryMs.counts.map((count, bucket) => count - (countsBefore[bucket] ?? 0));
const delivered = counts.reduce((sum, count) => sum + count, 0);
const bound = (share: number) => {
  let sum = 0;
  for (const [bucket, count] of counts.entries()) {
    sum += count;
    if (sum >= share * delivered) return DELIVERY_BOUNDS_MS[bucket] ?? Infinity;
  }
  return Infinity;
};
const cpuMs = (user + system) / 1000;
process.stdout.write(
  `${JSON.stringify({ calls, disk, delivered, eventsPerSecond: Math.round(delivered / (tookMs / 1000)), cpuMsPerSecondOfCall: Number((cpuMs / ((calls * tookMs) / 1000)).toFixed(4)), cpuUsPerEvent: Math.round((cpuMs * 1000) / delivered), p50WithinMs: bound(0.5), p99WithinMs: bound(0.99), backlog: results.backlog.events })}\n`,
);
await consumer.stop('SIGKILL');
await rm(directory, { recursive: true, force: true });
process.exit(0);
