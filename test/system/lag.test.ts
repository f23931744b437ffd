import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import type { ConnectionFacts } from '../simulators/deepgram/recording.ts';
import { Stage } from './stage.ts';

const SECOND = 8000;
const BYTES_PER_MS = 32;
const STOPPED_MS = 4000;
/** A session knows its live edge about 2 s after it has caught up. */
const SETTLED_AT_MS = 5000;

/** How much later than the earliest audio the latest arrived, relative to the call's clock. */
function worstLatenessMs({ audioArrivalsMs, audioMessageBytes }: ConnectionFacts): number {
  let callMs = 0;
  const lateness = audioArrivalsMs.map((arrivedMs, message) => {
    callMs += (audioMessageBytes[message] as number) / BYTES_PER_MS;
    return arrivedMs - callMs;
  });
  return Math.max(...lateness) - Math.min(...lateness);
}

test('a daemon that is stopped for 4 s says that audio was 4 s late', async (t) => {
  const stage = await Stage.open();
  t.teardown(() => stage.close());
  const customer = bytesOf(distinctSamples(60 * SECOND, 1));
  const request = await stage.call({ customer, agent: customer, speed: 1, fragmentMs: 1000 });
  t.is((await stage.start(request)).status, 200);
  await stage.deepgramHas(request.contactId, SETTLED_AT_MS);
  process.kill(stage.daemon.pid, 'SIGSTOP');
  await sleep(STOPPED_MS);
  process.kill(stage.daemon.pid, 'SIGCONT');
  await stage.deepgramHas(request.contactId, SETTLED_AT_MS + STOPPED_MS);
  await stage.hangUp(request.contactId);
  const worstLagMs = Number((await stage.ended(request.contactId))['worstLagMs']);
  t.true(worstLagMs >= 0.9 * STOPPED_MS, `${worstLagMs} ms`);
  const [connection] = await stage.closed(request.contactId);
  const seenMs = worstLatenessMs(connection as ConnectionFacts);
  // The simulator gives a fragment when it is complete: up to 1 s more.
  t.true(worstLagMs <= seenMs + 1500, `${worstLagMs} ms, Deepgram saw ${seenMs} ms`);
  const metrics = await (await fetch(new URL('/metrics', stage.url))).text();
  const atMost3s = Number(/^integratord_lag_seconds_bucket\{le="3"\} (\d+)/m.exec(metrics)?.[1]);
  const all = Number(/^integratord_lag_seconds_count (\d+)/m.exec(metrics)?.[1]);
  t.true(all - atMost3s >= 10, `${all - atMost3s} of ${all} pieces were later than 3 s`);
});
