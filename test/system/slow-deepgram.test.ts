import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { received } from './received.ts';
import { channel, Stage } from './stage.ts';

const SECONDS = 12;
const CALLBACK = { callback: 'http://127.0.0.1:9/results' };
/** So slow that much of the call remains to be processed after CloseStream. */
const SPEED = 4;
const RATE = 0.8;

for (const reads of ['buffered', 'paced']) {
  /** For the calls of both modes. */
  let stage: Stage;
  test.before(async () => {
    stage = await Stage.open({ deepgramArgs: ['--rate', String(RATE), '--reads', reads] });
  });
  test.after.always(() => stage?.close());
  for (const [mode, params] of [
    ['with a callback', CALLBACK],
    ['with results', {}],
  ] as const) {
    test(`a Deepgram slower than real time, with ${reads} reads, ${mode}: nothing is cut off`, async (t) => {
      const customer = distinctSamples(SECONDS * 8000, 1);
      const call = await stage.call({ customer: bytesOf(customer), agent: bytesOf(customer), speed: SPEED });
      const request = { ...call, dgParams: { ...call.dgParams, ...params } };
      t.is((await stage.start(request)).status, 200);
      const ended = await stage.ended(request.contactId);
      t.like(ended, { outcome: 'completed', gapMs: 0, reconnects: 0, unfinishedMs: 0, unsentMs: 0 });
      await stage.closed(request.contactId);
      const [connection] = await stage.deepgram.connectionsTagged(request.contactId);
      t.is(connection?.processedBytes, SECONDS * 32_000);
      t.is(connection?.closeCode, 1000);
    });
  }
}

/** More than a session keeps of what Deepgram has not processed. */
const LATE_SECONDS = 160;
const LATE_RATE = 20;
/** How much a connection gets before it is lost. */
const LOST_AT_MS = { buffered: 150_000, paced: 40_000 };
/** A checkpoint is at most a second old. */
const CHECKPOINT_MS = 1200;

for (const reads of ['buffered', 'paced'] as const) {
  for (const loss of ['kill -9', 'a break']) {
    test(`${loss} while Deepgram is behind, with ${reads} reads and a callback, leaves nothing unprocessed`, async (t) => {
      const stateDir = await mkdtemp(join(tmpdir(), 'integratord-state-'));
      t.teardown(() => rm(stateDir, { recursive: true, force: true }));
      const deepgramArgs = ['--rate', String(LATE_RATE), '--reads', reads];
      const stage = await Stage.open({ env: { STATE_DIR: stateDir }, deepgramArgs });
      t.teardown(() => stage.close());
      const customer = bytesOf(distinctSamples(LATE_SECONDS * 8000, 1));
      // All of it is on the stream when the session starts.
      const call = await stage.call({ customer, agent: customer, realtime: false });
      const request = { ...call, dgParams: { ...call.dgParams, ...CALLBACK } };
      if (loss === 'a break') await stage.deepgram.addFaultsFor(call.contactId, { resetAfterMs: LOST_AT_MS[reads] });
      t.is((await stage.start(request)).status, 200);
      if (loss === 'kill -9') {
        await stage.deepgramHas(request.contactId, LOST_AT_MS[reads]);
        await sleep(CHECKPOINT_MS);
        await stage.crash();
      }
      t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0, unfinishedMs: 0, unsentMs: 0 });
      await stage.closed(request.contactId);
      const { audio, agrees, runs } = await received(stage.deepgram, request.contactId);
      t.true(agrees);
      t.is(audio.length, LATE_SECONDS * 32_000);
      const [before, after] = runs;
      t.is(runs.length, 2);
      t.true((after?.offsetMs ?? Infinity) <= (before?.facts.processedBytes ?? 0) / 32);
      t.is((after?.offsetMs ?? 0) * 32 + (after?.facts.processedBytes ?? 0), audio.length);
    });
  }
}

test('late pongs, a slow handshake, odd responses and closes: the call arrives unchanged', async (t) => {
  const stage = await Stage.open();
  t.teardown(() => stage.close());
  const page = { headers: { 'content-type': 'text/html' }, body: '<html>default backend</html>' };
  await stage.deepgram.addFaults(
    { resetAfterMs: 3000, pongMs: 1500 },
    { refuse: 404, ...page },
    { refuse: 200, ...page },
    { refuse: 503, headers: { 'retry-after': '1' }, body: 'later' },
    { none: true, handshakeMs: 5500 },
    { none: true, pongMs: 'never', end: 'reset' },
  );
  const customer = distinctSamples(SECONDS * 8000, 1);
  const call = await stage.call({ customer: bytesOf(customer), speed: SPEED });
  const request = { ...call, dgParams: { ...call.dgParams, ...CALLBACK } };
  t.is((await stage.start(request)).status, 200);
  t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0, unfinishedMs: 0, unsentMs: 0 });
  const { audio, missingMs, agrees } = await received(stage.deepgram, request.contactId);
  t.is(missingMs, 0);
  t.true(agrees);
  t.is(difference(channel(audio, 0), customer), 'the same');
});
