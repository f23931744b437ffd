import test from 'ava';
import type { Start } from '../../daemon/kinesis/media-source.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { type KinesisVideoApi, Streams } from '../../daemon/kinesis/streams.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { bodyOf } from './http/body.ts';

const ARN = 'arn:of-the-stream';
const START: Start = { fragmentNumber: '1' };
const NEVER = new AbortController().signal;

/** Kinesis as a plain object that records its calls; the first ones fail with the given errors. */
function kinesis({ endpointFails = [], mediaFails = [] }: { endpointFails?: Error[]; mediaFails?: Error[] } = {}) {
  const clock = new VirtualClock({ nowMs: 0 });
  const endpointsAtMs: number[] = [];
  const media: { atMs: number; endpoint: string }[] = [];
  const api: KinesisVideoApi = {
    async getDataEndpoint() {
      endpointsAtMs.push(clock.now());
      const error = endpointFails.shift();
      if (error) throw error;
      return `https://endpoint-${endpointsAtMs.length}`;
    },
    async getMedia(endpoint) {
      media.push({ atMs: clock.now(), endpoint });
      const error = mediaFails.shift();
      if (error) throw error;
      return { requestId: 'r', body: bodyOf((async function* () {})()), close: () => {} };
    },
  };
  return { clock, api, endpointsAtMs, media };
}

/** An error as the SDK throws it. */
const awsError = (name: string, httpStatusCode: number) =>
  Object.assign(new Error('refused'), { name, $metadata: { httpStatusCode } });

test('a stream is read at most 5 times a second, in the order of requests', async (t) => {
  const { clock, api, media } = kinesis();
  const streams = new Streams(api, clock, 1);
  const done: number[] = [];
  for (let i = 0; i < 20; i++) void streams.getMedia(ARN, START, NEVER).then(() => done.push(i));
  await clock.advance(10_000);
  t.deepEqual(
    done,
    Array.from({ length: 20 }, (_, i) => i),
  );
  for (const { atMs } of media) {
    const withinASecond = media.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000);
    t.true(withinASecond.length <= 5, `${withinASecond.length} in the second after ${atMs}`);
  }
  t.true((media.at(-1)?.atMs ?? Infinity) < 4500, 'and hardly less often');
});

test('other streams do not wait for a busy one', async (t) => {
  const { clock, api, media } = kinesis();
  const streams = new Streams(api, clock, 1);
  for (let i = 0; i < 10; i++) void streams.getMedia(ARN, START, NEVER);
  void streams.getMedia('arn:of-another', START, NEVER);
  await clock.advance(10);
  t.is(media.length, 2);
});

test('the endpoint is requested once for all sessions of a stream', async (t) => {
  const { clock, api, endpointsAtMs, media } = kinesis();
  const streams = new Streams(api, clock, 1);
  for (let i = 0; i < 3; i++) void streams.getMedia(ARN, START, NEVER);
  await clock.advance(60_000);
  t.is(endpointsAtMs.length, 1);
  t.is(media.length, 3);
});

test('GetDataEndpoint is called at most 270 times a second in all threads together', async (t) => {
  for (const threads of [1, 4]) {
    const { clock, api, endpointsAtMs } = kinesis();
    const streams = new Streams(api, clock, threads);
    for (let i = 0; i < 600; i++) void streams.getMedia(`arn:of-stream-${i}`, START, NEVER);
    await clock.advance(1000);
    t.true(Math.abs(endpointsAtMs.length - 270 / threads) <= 1, `${endpointsAtMs.length} in a second`);
  }
});

for (const [what, error] of [
  ['an expired endpoint', awsError('InvalidEndpointException', 400)],
  ['a broken connection', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
  ['an HTTP 500', awsError('InternalFailure', 500)],
] as const) {
  test(`after ${what} the endpoint is requested again`, async (t) => {
    const { clock, api, media } = kinesis({ mediaFails: [error] });
    const streams = new Streams(api, clock, 1);
    const refused = t.throwsAsync(streams.getMedia(ARN, START, NEVER), { instanceOf: KinesisRefused });
    await clock.advance(1000);
    t.true((await refused)?.retryable);
    const again = streams.getMedia(ARN, START, NEVER);
    await clock.advance(1000);
    await again;
    t.deepEqual(
      media.map(({ endpoint }) => endpoint),
      ['https://endpoint-1', 'https://endpoint-2'],
    );
  });
}

for (const name of ['ClientLimitExceededException', 'ConnectionLimitExceededException', 'ThrottlingException']) {
  test(`after ${name} the endpoint stays cached`, async (t) => {
    const { clock, api, endpointsAtMs } = kinesis({ mediaFails: [awsError(name, 400)] });
    const streams = new Streams(api, clock, 1);
    await t.throwsAsync(streams.getMedia(ARN, START, NEVER), { instanceOf: KinesisRefused });
    const again = streams.getMedia(ARN, START, NEVER);
    await clock.advance(1000);
    await again;
    t.is(endpointsAtMs.length, 1);
  });
}

test('a failed request for an endpoint is repeated', async (t) => {
  const { clock, api, endpointsAtMs } = kinesis({ endpointFails: [awsError('ThrottlingException', 400)] });
  const streams = new Streams(api, clock, 1);
  await t.throwsAsync(streams.getMedia(ARN, START, NEVER), { instanceOf: KinesisRefused });
  const again = streams.getMedia(ARN, START, NEVER);
  await clock.advance(1000);
  await again;
  t.is(endpointsAtMs.length, 2);
});

test('a session that gives up waiting for an endpoint does not affect the others', async (t) => {
  const answered = Promise.withResolvers<string>();
  const { clock, api, media } = kinesis();
  const streams = new Streams({ ...api, getDataEndpoint: () => answered.promise }, clock, 1);
  const impatient = new AbortController();
  const given = t.throwsAsync(streams.getMedia(ARN, START, impatient.signal), { instanceOf: KinesisRefused });
  const patient = streams.getMedia(ARN, START, NEVER);
  impatient.abort();
  t.is((await given)?.awsName, 'AbortError');
  answered.resolve('https://endpoint');
  await clock.advance(0);
  await patient;
  t.is(media.length, 1);
});

test('a request for an endpoint without a response for 10 s is a retryable refusal', async (t) => {
  const { clock, api } = kinesis();
  const getDataEndpoint = (_arn: string, signal: AbortSignal) =>
    new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const streams = new Streams({ ...api, getDataEndpoint }, clock, 1);
  const refused = t.throwsAsync(streams.getMedia(ARN, START, NEVER), { instanceOf: KinesisRefused });
  let isOver = false;
  void refused.then(() => {
    isOver = true;
  });
  await clock.advance(9999);
  t.false(isOver);
  await clock.advance(1);
  t.true((await refused)?.retryable);
});

test('with more than 10,000 streams, only unused ones are forgotten', async (t) => {
  const { clock, api, endpointsAtMs } = kinesis();
  const streams = new Streams(api, clock, 1);
  const open = async (arn: string) => {
    const media = streams.getMedia(arn, START, NEVER);
    await clock.advance(4);
    await media;
  };
  for (let i = 0; i < 10_000; i++) await open(`arn:of-stream-${i}`);
  await clock.advance(1000);
  await open('arn:of-stream-0');
  t.is(endpointsAtMs.length, 10_000);
  await open('arn:of-one-more');
  await clock.advance(1000);
  await open('arn:of-stream-0');
  t.is(endpointsAtMs.length, 10_001, 'it was in use');
  await open('arn:of-stream-1');
  t.is(endpointsAtMs.length, 10_002);
});

test('starts that were aborted give their turn at GetDataEndpoint back', async (t) => {
  const { clock, api, endpointsAtMs } = kinesis();
  const streams = new Streams(api, clock, 1);
  const impatient = new AbortController();
  const given = Array.from({ length: 1000 }, (_, i) =>
    t.throwsAsync(streams.getMedia(`arn:of-stream-${i}`, START, impatient.signal)),
  );
  impatient.abort();
  await Promise.all(given);
  const good = streams.getMedia('arn:of-a-good-one', START, NEVER);
  await clock.advance(20);
  await good;
  t.true(endpointsAtMs.length <= 3, `${endpointsAtMs.length} requests`);
});

for (const [what, start] of [
  ['a continuation token', { fragmentNumber: '1', continuationToken: 'token', producerEpochMs: undefined }],
  ['a time', { isCallStart: true, fragmentNumber: '1', atEpochMs: 1000 }],
] as const) {
  test(`${what} that Kinesis refuses with 400 is replaced by the fragment number, once`, async (t) => {
    for (const [refusals, name] of [
      [1, 'InvalidArgumentException'],
      [1, 'InvalidContinuationTokenException'],
      [2, 'InvalidArgumentException'],
    ] as const) {
      const asked: Start[] = [];
      const fails = Array.from({ length: refusals }, () => awsError(name, 400));
      const { clock, api } = kinesis({ mediaFails: fails });
      const getMedia: KinesisVideoApi['getMedia'] = (endpoint, arn, from, signal) => {
        asked.push(from);
        return api.getMedia(endpoint, arn, from, signal);
      };
      const opened = new Streams({ ...api, getMedia }, clock, 1).getMedia(ARN, start, NEVER).then(
        ({ isByNumber }) => isByNumber,
        ({ awsName }) => awsName,
      );
      await clock.advance(10_000);
      t.is(await opened, refusals === 1 ? true : 'InvalidArgumentException');
      t.deepEqual(asked, [start, { fragmentNumber: '1' }]);
    }
  });
}

test('a limit is not taken for a refused continuation token', async (t) => {
  const { clock, api, media } = kinesis({ mediaFails: [awsError('ClientLimitExceededException', 400)] });
  const start = { fragmentNumber: '1', continuationToken: 'token', producerEpochMs: undefined };
  const refused = t.throwsAsync(new Streams(api, clock, 1).getMedia(ARN, start, NEVER));
  await clock.advance(10_000);
  await refused;
  t.is(media.length, 1);
});
