import test from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { Stage } from './stage.ts';

const STREAMS = 34;
/** daemon/kinesis/README.md: 3 concurrent connections per stream. */
const SESSIONS_PER_STREAM = 3;

test('102 concurrent starts on 34 streams stay within the limits of Kinesis and all succeed', async (t) => {
  // The simulator limits each stream like Kinesis: 5 GetMedia and 5 GetDataEndpoint per second, 3 connections.
  const stage = await Stage.open();
  t.teardown(() => stage.close());
  const pcm = bytesOf(distinctSamples(400));
  const requests = await Promise.all(
    Array.from({ length: STREAMS }, (_, i) => stage.call({ customer: pcm, realtime: false }, `busy-${i}`)),
  );
  const starts = requests.flatMap((request) =>
    Array.from({ length: SESSIONS_PER_STREAM }, () => ({ ...request, enforceRealtime: true })),
  );
  const answers = await Promise.all(starts.map((request) => stage.start(request)));
  t.deepEqual(
    [...new Set(answers.map(({ status, body }) => `${status} ${body['reason'] ?? body['status']}`))],
    ['200 started'],
  );
  const { requests: asked } = await stage.kinesis.requests();
  t.deepEqual(
    asked.filter(({ error }) => error === 'ClientLimitExceededException'),
    [],
  );
  // Once for each stream, and again after a failure: streams.test.ts. A slow machine also asks whether Kinesis can be
  // reached at all, with a stream that does not exist.
  const endpoints = asked.filter(({ api, error }) => api === 'GetDataEndpoint' && error === undefined);
  t.true(endpoints.length < starts.length, 'the sessions of a stream share its endpoint');
});
