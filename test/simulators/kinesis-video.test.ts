import { randomBytes, randomUUID } from 'node:crypto';
import { GetDataEndpointCommand, KinesisVideoClient, ResourceNotFoundException } from '@aws-sdk/client-kinesis-video';
import {
  ClientLimitExceededException,
  ConnectionLimitExceededException,
  InvalidArgumentException,
  NotAuthorizedException,
  type StartSelector,
} from '@aws-sdk/client-kinesis-video-media';
import test, { type ExecutionContext } from 'ava';
import { Program } from '../support/process.ts';
import { type CallDescription, type FaultRule, KinesisVideoControl } from './kinesis-video/client.ts';
import type { MediaReader } from './kinesis-video/media-reader.ts';
import { Sdk } from './kinesis-video/sdk.ts';

const FROM = 'AUDIO_FROM_CUSTOMER';
const TO = 'AUDIO_TO_CUSTOMER';
/** 64 ms of PCM. */
const BLOCK_BYTES = 1024;
/** Long enough that a body has sent everything before it ends by being idle. */
const SHORT_IDLE = ['--no-rate-limit', '--idle-end-ms', '300'];
/** No body ends before its test, however slow the machine. */
const PATIENT = ['--no-rate-limit', '--idle-end-ms', '600000'];

/** A simulator for one test, and its clients. */
async function ownKinesisVideo(t: ExecutionContext, args: readonly string[]) {
  const simulator = await start(args);
  t.teardown(() => simulator.stop());
  return simulator;
}

async function start(args: readonly string[]) {
  const program = new Program('test/simulators/kinesis-video/main.ts', args);
  const url = await program.listening();
  const sdk = new Sdk(url);
  const stop = async () => {
    sdk.close();
    return program.stop();
  };
  return { program, url, sdk, control: new KinesisVideoControl(url), stop };
}

/** Shared by most tests, which use different streams. */
const shared = start(PATIENT);
test.after.always(async () => (await shared).stop());

/** A recorded call of ten blocks per track, one per fragment. */
function recording(): CallDescription & { customer: Buffer; agent: Buffer } {
  const customer = randomBytes(10 * BLOCK_BYTES);
  const agent = randomBytes(10 * BLOCK_BYTES);
  const options = { oddBlock: false } as const;
  return { contactId: randomUUID(), customer, agent, realtime: false, fragmentMs: 64, options };
}

/** A live call of a minute, one block per fragment. */
function liveCall(): CallDescription {
  return { contactId: randomUUID(), customer: randomBytes(60 * 16_000), fragmentMs: 64 };
}

/** Waits until a reader has all audio of both tracks. */
function heard(reader: MediaReader, customer: Buffer, agent: Buffer): Promise<void> {
  const bytes = customer.length + agent.length;
  return reader.until((so) => so.pcm(FROM).length + so.pcm(TO).length >= bytes);
}

test('a call is returned byte for byte on each track, whatever its form', async (t) => {
  const { control, sdk } = await shared;
  const shapes: CallDescription['options'][] = [
    {},
    { cluster: 'unknown' },
    { cluster: 'unknown-short', contactTag: 'before' },
    { contactTag: 'none', oddBlock: false },
    {
      tracks: [
        { side: 'agent', name: TO, number: 7 },
        { side: 'customer', name: FROM, number: 3, startsAtMs: 500 },
      ],
    },
  ];
  for (const [index, options] of shapes.entries()) {
    const customer = randomBytes(40_002);
    const agent = randomBytes(25_346);
    await control.putStream(`shape-${index}`);
    const call = await control.startCall(`shape-${index}`, {
      contactId: 'me',
      customer,
      agent,
      realtime: false,
      options,
    });
    const reader = await sdk.readCall(call);
    await heard(reader, customer, agent);
    t.true(reader.pcm(FROM).equals(customer), JSON.stringify(options));
    t.true(reader.pcm(TO).equals(agent), JSON.stringify(options));
    t.deepEqual((await control.call(call.callId)).bytes, { customer: customer.length, agent: agent.length });
  }
});

test('a fragment has the elements of a real one, in their order', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('real');
  const reader = await sdk.readCall(await control.startCall('real', recording()));
  const { elements, tags } = await reader.fragment(0);

  // The first fragment of test_mixed_tags.mkv (a capture of the Kinesis Video SDK, daemon/kinesis/README.md), with the
  // tracks, blocks and tags that a printed fragment of a real Connect stream has.
  const header =
    'EBML EBMLVersion EBMLReadVersion EBMLMaxIDLength EBMLMaxSizeLength DocType DocTypeVersion DocTypeReadVersion';
  const info = 'Segment Info SegmentUID TimecodeScale Title MuxingApp WritingApp';
  const track = 'TrackEntry TrackNumber TrackUID TrackType Name CodecID CodecPrivate';
  const tag = 'SimpleTag TagName TagString';
  const tagsOf = (count: number) => `Tags Tag ${Array(count).fill(tag).join(' ')}`;
  const connectTags = Array(6).fill(tagsOf(1)).join(' ');
  const cluster = 'Cluster Timecode Position SimpleBlock SimpleBlock';
  const expected = [header, info, 'Tracks', track, track, tagsOf(3), cluster, connectTags, tagsOf(2)].join(' ');
  t.is(elements.join(' '), expected);
  t.is(tags['AWS_KINESISVIDEO_FRAGMENT_NUMBER'], tags['AWS_KINESISVIDEO_CONTINUATION_TOKEN']);
  t.regex(tags['AWS_KINESISVIDEO_FRAGMENT_NUMBER'] ?? '', /^\d{47}$/);
  t.regex(tags['AWS_KINESISVIDEO_PRODUCER_TIMESTAMP'] ?? '', /^\d{10}\.\d{3}$/);
});

test('a fragment is encoded like the captures', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('bytes');
  const reader = await sdk.readCall(await control.startCall('bytes', recording()));
  await reader.fragment(0);
  const body = reader.body.toString('hex');
  // From test_mixed_tags.mkv and output_get_media.mkv.
  const captured = {
    'EBML header, Segment of unknown size':
      '1a45dfa3a442868101' +
      '42f7810142f2810442f381084282896d6174726f736b6100428781024285810218538067' +
      '01ffffffffffffff',
    'TimecodeScale in 8 bytes': '2ad7b18800000000000f4240',
    'Tags of the service with sizes in 4 bytes':
      '67c81000005b45a3100000204157535f4b494e45534953564944454f5f465241474d454e545f4e554d4245524487' + '1000002f',
    'Tags of the producer with sizes in 8 bytes': '1254c36701000000000000',
    'Cluster of known size in 8 bytes': '1f43b67501000000000008',
    'Timecode in 8 bytes, then Position': 'a78100a301',
    'SimpleBlock of track 1 at its cluster time, a key frame': '81000080',
  };
  for (const [what, bytes] of Object.entries(captured)) t.true(body.includes(bytes), what);
  t.true(body.startsWith(captured['EBML header, Segment of unknown size']));
});

test('blocks are 64 ms on their own clock, except for one odd block near the end and the remainder', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('blocks');
  const customer = randomBytes(20 * BLOCK_BYTES);
  const startMs = 5_000;
  const call = await control.startCall('blocks', { contactId: 'me', customer, realtime: false, startMs });
  const reader = await sdk.readCall(call);
  await reader.until((so) => so.pcm(FROM).length === customer.length);
  const blocks = reader.fragments.flatMap((fragment) => fragment.blocks);
  t.deepEqual(
    blocks.map(({ pcm }) => pcm.length),
    [...Array(16).fill(BLOCK_BYTES), 700, BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, 324],
  );
  let bytesBefore = 0;
  for (const block of blocks) {
    t.is(block.startMs, startMs + Math.round(bytesBefore / 16));
    bytesBefore += block.pcm.length;
  }
});

const selectors: [what: string, selector: (reader: MediaReader) => StartSelector, firstFragment: number][] = [
  [
    'after a fragment number',
    (all) => ({ StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: number(all, 3) }),
    4,
  ],
  ['after a token', (all) => ({ StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: number(all, 3) }), 4],
  ['at the earliest fragment', () => ({ StartSelectorType: 'EARLIEST' }), 0],
  ['at the latest fragment', () => ({ StartSelectorType: 'NOW' }), 9],
  [
    'at a time of the producer',
    (all) => ({ StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: time(all, 5, 'PRODUCER') }),
    5,
  ],
  [
    'at a time of the server',
    (all) => ({ StartSelectorType: 'SERVER_TIMESTAMP', StartTimestamp: time(all, 5, 'SERVER') }),
    5,
  ],
];

function number(reader: MediaReader, index: number): string {
  return reader.fragments[index]?.tags['AWS_KINESISVIDEO_FRAGMENT_NUMBER'] ?? '';
}

/** A time within a fragment. */
function time(reader: MediaReader, index: number, clock: 'PRODUCER' | 'SERVER'): Date {
  return new Date(Number(reader.fragments[index]?.tags[`AWS_KINESISVIDEO_${clock}_TIMESTAMP`]) * 1000 + 10);
}

test('GetMedia starts where its selector says', async (t) => {
  const { control, sdk } = await shared;
  for (const [index, [what, selector, first]] of selectors.entries()) {
    await control.putStream(`from-${index}`);
    const call = await control.startCall(`from-${index}`, recording());
    const all = await sdk.readCall(call);
    await all.fragment(9);
    const reader = await sdk.getMedia(call.streamArn, selector(all));
    await reader.fragment(0);
    t.is(number(reader, 0), number(all, first), what);
  }
});

test('a fragment beyond retention yields error 4000 in the stream, and the body ends', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('short', { retentionFragments: 3 });
  const call = await control.startCall('short', recording());
  const reader = await sdk.readCall(call);
  t.is(await reader.end, 'whole');
  t.is(reader.fragments[0]?.tags['AWS_KINESISVIDEO_ERROR_ID'], '4000');
  t.is(reader.fragments[0]?.tags['AWS_KINESISVIDEO_ERROR_CODE'], 'Requested fragment is not found');
  const kept = await sdk.getMedia(call.streamArn, { StartSelectorType: 'EARLIEST' });
  await kept.fragment(2);
  t.true(BigInt(number(kept, 0)) > BigInt(call.startFragmentNumber));
});

test('retention can be a duration', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('forgetful', { retentionMs: 1 });
  // As if the call had just ended.
  const reader = await sdk.readCall(await control.startCall('forgetful', recording()));
  t.is(await reader.end, 'whole');
  t.is(reader.fragments[0]?.tags['AWS_KINESISVIDEO_ERROR_ID'], '4000');
});

test('a stream can lose its first fragments while a request hangs', async (t) => {
  const { control, sdk } = await ownKinesisVideo(t, PATIENT);
  await control.putStream('amnesiac');
  const call = await control.startCall('amnesiac', recording());
  const all = await sdk.readCall(call);
  await all.fragment(9);
  await control.addFaults({ api: 'GetDataEndpoint', hang: true, forgetFragments: 5 });
  const hangUp = new AbortController();
  const hanging = t.throwsAsync(sdk.dataEndpoint(call.streamArn, hangUp.signal), { name: 'AbortError' });
  const asked = async () =>
    (await control.requests()).requests.filter(({ api, stream }) => api === 'GetDataEndpoint' && stream);
  while ((await asked()).length < 2);
  hangUp.abort();
  await hanging;
  const reader = await sdk.getMedia(call.streamArn, { StartSelectorType: 'EARLIEST' });
  await reader.fragment(0);
  t.is(number(reader, 0), number(all, 5));
});

test('a live call is streamed while it continues', async (t) => {
  const { control, sdk } = await shared;
  for (const cluster of ['known', 'unknown'] as const) {
    await control.putStream(cluster);
    const call = await control.startCall(cluster, { ...liveCall(), options: { cluster } });
    const reader = await sdk.readCall(call);
    await reader.fragment(1);
    t.is((await control.call(call.callId)).state, 'running');
    const { state, bytes } = await control.stopCall(call.callId);
    t.is(state, 'stopped');
    await reader.until((so) => so.pcm(FROM).length === bytes.customer);
    t.true(bytes.customer < 60 * 16_000);
  }
});

test('with an unknown cluster size, blocks are sent before their fragment is complete', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('growing');
  const call = await control.startCall('growing', {
    ...liveCall(),
    fragmentMs: 30_000,
    options: { cluster: 'unknown' },
  });
  const reader = await sdk.readCall(call);
  await reader.until((so) => so.pcm(FROM).length > 0);
  t.is(reader.fragments[0]?.tags['AWS_KINESISVIDEO_CONTINUATION_TOKEN'], undefined);
  await control.stopCall(call.callId);
  t.is((await reader.fragment(0)).tags['ContactId'], (await control.call(call.callId)).contactId);
});

test('a fast call takes its scaled time, and its end is reported', async (t) => {
  const { control } = await shared;
  await control.putStream('fast');
  const startedAt = performance.now();
  const call = await control.startCall('fast', { ...liveCall(), speed: 100 });
  const { state, finished, bytes } = await control.callEnd(call.callId);
  // Timers may fire a millisecond early, and clocks have whole milliseconds.
  t.true(performance.now() - startedAt >= 60_000 / 100 - 5);
  t.deepEqual([state, finished, bytes.customer], ['finished', true, 60 * 16_000]);
});

test('contacts on one stream follow each other, each at its own start fragment', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('pool');
  const first = { ...recording(), contactId: 'first' };
  const second = { ...recording(), contactId: 'second' };
  const one = await control.startCall('pool', first);
  const two = await control.startCall('pool', second);
  const both = await sdk.readCall(one);
  await both.fragment(19);
  const contacts = both.fragments.map(({ tags }) => tags['ContactId']);
  t.deepEqual(contacts, [...Array(10).fill('first'), ...Array(10).fill('second')]);
  const last = await sdk.readCall(two);
  await heard(last, second.customer, second.agent);
  t.true(last.pcm(FROM).equals(second.customer));
});

test('a second call at the same time on a stream is refused', async (t) => {
  const { control } = await shared;
  await control.putStream('busy');
  await control.startCall('busy', liveCall());
  await t.throwsAsync(control.startCall('busy', liveCall()), { message: /still on busy/ });
});

test('a missing fragment is skipped', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('gap');
  const call = recording();
  const reader = await sdk.readCall(await control.startCall('gap', { ...call, options: { missingFragments: [4] } }));
  await reader.fragment(4);
  const timecodes = reader.fragments.map(({ timecodeMs }) => timecodeMs);
  t.is((timecodes[4] ?? 0) - (timecodes[3] ?? 0), 2 * 64);
});

test('a body ends when it is idle, and when it is old', async (t) => {
  const idle = await ownKinesisVideo(t, SHORT_IDLE);
  await idle.control.putStream('over');
  const call = await idle.control.startCall('over', recording());
  const reader = await idle.sdk.readCall(call);
  t.is(await reader.end, 'whole');
  t.is(reader.fragments.length, 10);
  t.is((await idle.control.requests()).requests.at(-1)?.endedBy, 'idle');

  const old = await ownKinesisVideo(t, [...PATIENT, '--max-connection-ms', '300']);
  await old.control.putStream('long');
  const cut = await old.sdk.readCall(await old.control.startCall('long', liveCall()));
  t.is(await cut.end, 'whole');
  t.is((await old.control.requests()).requests.at(-1)?.endedBy, 'age');
});

test('a fourth connection to a stream is refused until one of three ends', async (t) => {
  const { control, sdk } = await shared;
  await control.putStream('three');
  const call = await control.startCall('three', liveCall());
  const readers = [await sdk.readCall(call), await sdk.readCall(call), await sdk.readCall(call)];
  await t.throwsAsync(sdk.readCall(call), { instanceOf: ConnectionLimitExceededException });
  t.deepEqual((await control.requests()).connections['three'], { open: 3, max: 3 });
  readers[0]?.close();
  while ((await control.requests()).connections['three']?.open === 3);
  const fourth = await sdk.readCall(call);
  await fourth.fragment(0);
  t.is((await control.requests()).connections['three']?.max, 3);
});

test('more requests per second than AWS allows are refused', async (t) => {
  const { control, sdk } = await ownKinesisVideo(t, []);
  const streamArn = await control.putStream('rate');
  const answers = await Promise.allSettled(Array.from({ length: 40 }, () => sdk.dataEndpoint(streamArn)));
  const refused = answers.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  t.true(answers.length - refused.length >= 5);
  t.true(refused.length > 0);
  for (const { reason } of refused) t.is(reason.name, 'ClientLimitExceededException');
  t.is((await control.requests()).counts.GetDataEndpoint, 40);
});

test('errors arrive as the exceptions of the SDK', async (t) => {
  const { control, sdk, url } = await shared;
  const streamArn = await control.putStream('errors');
  const nowhere = streamArn.replace('/errors/', '/nowhere/');
  await t.throwsAsync(sdk.dataEndpoint(nowhere), { instanceOf: ResourceNotFoundException, message: /nowhere/ });
  await t.throwsAsync(sdk.dataEndpoint('not-an-arn'), { name: 'InvalidArgumentException' });
  const noToken = { StartSelectorType: 'CONTINUATION_TOKEN' } as const;
  await t.throwsAsync(sdk.getMedia(streamArn, noToken), { instanceOf: InvalidArgumentException });

  const stream = 'errors';
  await control.addFaults(
    { stream, error: 'NotAuthorizedException' },
    { stream, error: 'ClientLimitExceededException' },
  );
  const now = { StartSelectorType: 'NOW' } as const;
  await t.throwsAsync(sdk.getMedia(streamArn, now), { instanceOf: NotAuthorizedException });
  await t.throwsAsync(sdk.getMedia(streamArn, now), { instanceOf: ClientLimitExceededException });

  const elsewhere = new Sdk(url, 'eu-central-1');
  await t.throwsAsync(elsewhere.dataEndpoint(streamArn), { name: 'InvalidSignatureException' });
  elsewhere.close();
  const unsigned = await fetch(`${url}/getDataEndpoint`, { method: 'POST', body: '{}' });
  t.deepEqual(
    [unsigned.status, unsigned.headers.get('x-amzn-errortype')],
    [403, 'MissingAuthenticationTokenException'],
  );
});

test('AWS_ENDPOINT_URL_KINESIS_VIDEO is enough to direct the SDK here', async (t) => {
  const { control, url } = await shared;
  const StreamARN = await control.putStream('endpoint');
  process.env['AWS_ENDPOINT_URL_KINESIS_VIDEO'] = url;
  const client = new KinesisVideoClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  });
  const { DataEndpoint } = await client.send(new GetDataEndpointCommand({ StreamARN, APIName: 'GET_MEDIA' }));
  client.destroy();
  t.is(DataEndpoint, url);
});

/** A recording that is read with a fault. */
async function readWith(...faults: readonly FaultRule[]) {
  const { control, sdk } = await shared;
  const stream = `faulty-${randomUUID()}`;
  const streamArn = await control.putStream(stream);
  const pcm = recording();
  const call = await control.startCall(stream, pcm);
  await control.addFaults(...faults.map((fault) => ({ ...fault, stream })));
  return { control, sdk, streamArn, pcm, call, reader: await sdk.readCall(call) };
}

test('a body that ends early can be resumed without loss', async (t) => {
  const { sdk, call, pcm, reader } = await readWith({ endAfterFragments: 3 });
  t.is(await reader.end, 'whole');
  t.is(reader.fragments.length, 3);
  const token = reader.fragments[2]?.tags['AWS_KINESISVIDEO_CONTINUATION_TOKEN'] ?? '';
  const rest = await sdk.getMedia(call.streamArn, {
    StartSelectorType: 'CONTINUATION_TOKEN',
    ContinuationToken: token,
  });
  await rest.fragment(6);
  t.true(Buffer.concat([reader.pcm(FROM), rest.pcm(FROM)]).equals(pcm.customer));
});

test('a connection breaks after some fragments or bytes', async (t) => {
  const { control, sdk, streamArn, call, reader } = await readWith(
    { resetAfterFragments: 3 },
    { resetAfterBytes: 5_001 },
  );
  t.is(await reader.end, 'broken');
  t.is(reader.fragments.length, 3);
  const cut = await sdk.readCall(call);
  t.is(await cut.end, 'broken');
  t.is(cut.body.length, 5_001);
  const served = (await control.requests()).requests.filter(
    ({ api, stream }) => api === 'GetMedia' && stream === streamArn,
  );
  t.deepEqual(
    served.map(({ endedBy }) => endedBy),
    ['fault', 'fault'],
  );
});

test('a fault that was not due when its connection ended is for the next one', async (t) => {
  const { control, sdk, call, reader } = await readWith({ endAfterFragments: 12 });
  await reader.fragment(9);
  reader.close();
  const stream = call.streamArn.split('/')[1] ?? '';
  while ((await control.requests()).connections[stream]?.open === 1);
  await control.startCall(stream, recording());
  const second = await sdk.readCall(call);
  t.is(await second.end, 'whole');
  t.is(second.fragments.length, 12);
});

test('a stalled body sends nothing and does not end', async (t) => {
  const { control, sdk } = await ownKinesisVideo(t, SHORT_IDLE);
  await control.putStream('stalled');
  const call = await control.startCall('stalled', recording());
  await control.addFaults({ stallAfterFragments: 1 });
  const stalled = await sdk.readCall(call);
  const other = await sdk.readCall(call);
  t.is(await other.end, 'whole');
  t.is(stalled.fragments.length, 1);
  t.deepEqual((await control.requests()).connections['stalled'], { open: 1, max: 2 });
});

test('corrupted bytes affect one reader only', async (t) => {
  const bytes = Buffer.from('rubbish');
  const { sdk, call, reader } = await readWith({ corruptAfterBytes: 100, bytes: bytes.toString('base64') });
  const sound = await sdk.readCall(call);
  await Promise.all([reader.until(({ body }) => body.length >= 200), sound.fragment(0)]);
  const expected = Buffer.from(sound.body.subarray(0, 200));
  bytes.copy(expected, 100);
  t.deepEqual(reader.body.subarray(0, 200), expected);
});

test('requests to the stream of a fault are refused with a status, or never answered', async (t) => {
  const { control, sdk } = await ownKinesisVideo(t, PATIENT);
  const [one, two] = [await control.putStream('one'), await control.putStream('two')];
  await control.addFaults(
    { api: 'GetDataEndpoint', stream: 'two', status: 503 },
    { api: 'GetDataEndpoint', hang: true },
  );
  await t.throwsAsync(sdk.dataEndpoint(two), { message: /503|Unknown/ });
  const hangUp = new AbortController();
  const hanging = t.throwsAsync(sdk.dataEndpoint(one, hangUp.signal), { name: 'AbortError' });
  while ((await control.requests()).requests.length < 2);
  hangUp.abort();
  await hanging;
  const { requests } = await control.requests();
  t.deepEqual(
    requests.map(({ status }) => status),
    [503, undefined],
  );
});

test('it exits cleanly during a call', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { program, control, sdk } = await ownKinesisVideo(t, PATIENT);
    await control.putStream('end');
    const reader = await sdk.readCall(await control.startCall('end', liveCall()));
    await reader.fragment(0);
    t.is(await program.stop(signal), 0, program.stderr);
    t.is(await reader.end, 'broken');
  }
});
