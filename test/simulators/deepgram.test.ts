import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeepgramClient } from '@deepgram/sdk';
import test from 'ava';
import { byteDifference } from '../support/byte-difference.ts';
import { Program } from '../support/process.ts';
import { CALL, CALL_AUDIO, expectedOn, phrasesOn, stereo } from './deepgram/call-audio.ts';
import { callQuery, type Heard, ListenClient, refusalOf, transcriptOf } from './deepgram/listen-client.ts';

const SCRIPT = 'test/simulators/deepgram/main.ts';
const BLOCK_SAMPLES = 512;

// No test here is about silence, and a slow machine may be silent for long.
const simulator = new Program(SCRIPT, ['--rate', 'off', '--net-0001-ms', '60000']);
const url = await simulator.listening();
test.after.always(() => simulator.stop());

/** Plays audio on a new connection, to the end. */
async function transcribed(audio: Buffer, messageBytes?: number, query = {}): Promise<ListenClient> {
  const client = await ListenClient.open(url, query);
  client.play(audio, messageBytes);
  await client.finish();
  return client;
}

for (const messageBytes of [100, 1332, 4096, CALL_AUDIO.length]) {
  test(`every phrase is recognized on its channel, and nothing else, in messages of ${messageBytes} bytes`, async (t) => {
    const client = await transcribed(CALL_AUDIO, messageBytes);
    t.deepEqual(client.said(0), expectedOn(0));
    t.deepEqual(client.said(1), expectedOn(1));
  });
}

test('words have their times in the call', async (t) => {
  const client = await transcribed(CALL_AUDIO);
  const words = client.finals(1).flatMap(({ channel }) => channel?.alternatives[0]?.words ?? []);
  const seconds = (samples: number) => samples / CALL.sampleRateHz;
  t.deepEqual(
    words.map(({ word, start, end }) => [word, start, end]),
    phrasesOn(1).flatMap((phrase) => phrase.words.map((w) => [w.word, seconds(w.startSample), seconds(w.endSample)])),
  );
});

test('the final results of a channel cover its audio without a gap', async (t) => {
  const client = await transcribed(CALL_AUDIO);
  for (const channel of [0, 1]) {
    let covered = 0;
    for (const { start = 0, duration = 0 } of client.finals(channel)) {
      t.is(start, covered);
      covered = Math.round((start + duration) * CALL.sampleRateHz) / CALL.sampleRateHz;
    }
    t.is(covered, CALL.customer.length / CALL.sampleRateHz);
  }
});

test('interim results grow into the final one', async (t) => {
  const phrase = "hi i'm calling about a parcel that has not arrived";
  const client = await transcribed(CALL_AUDIO, 4096, { interim_results: 'true' });
  const own = client.messages.filter((m) => m.channel_index?.[0] === 0 && transcriptOf(m).startsWith('hi'));
  const words = phrase.split(' ');
  t.deepEqual(
    own.map(transcriptOf),
    words.map((_, index) => words.slice(0, index + 1).join(' ')),
  );
  t.deepEqual(
    own.map((m) => m.is_final),
    words.map((_, index) => index === words.length - 1),
  );
});

test('with punctuation, phrases are spelled as written', async (t) => {
  const client = await transcribed(CALL_AUDIO, 4096, { punctuate: 'true' });
  t.deepEqual(
    client.said(1),
    phrasesOn(1).map(({ text }) => text),
  );
});

/** Blocks that start within a phrase: one per speaker, and one where both talk. */
const LOST_BLOCKS = [0, 2, 10].map((index) => {
  const { words = [] } = CALL.phrases[index] ?? {};
  const lostFrom = Math.ceil((words[1]?.startSample ?? 0) / BLOCK_SAMPLES) * BLOCK_SAMPLES;
  return { lostFrom, lostTo: lostFrom + BLOCK_SAMPLES };
});

for (const { lostFrom, lostTo } of LOST_BLOCKS) {
  test(`a block lost at sample ${lostFrom} costs the words it touched, and only those`, async (t) => {
    const [filled, leftOut] = await Promise.all([
      transcribed(Buffer.concat([CALL_AUDIO]).fill(0, lostFrom * 4, lostTo * 4)),
      transcribed(Buffer.concat([CALL_AUDIO.subarray(0, lostFrom * 4), CALL_AUDIO.subarray(lostTo * 4)])),
    ]);
    const expected = [expectedOn(0, lostFrom, lostTo), expectedOn(1, lostFrom, lostTo)];
    t.notDeepEqual(expected, [expectedOn(0), expectedOn(1)]);
    t.deepEqual([filled.said(0), filled.said(1)], expected);
    t.deepEqual([leftOut.said(0), leftOut.said(1)], expected);
  });
}

test('a single wrong bit costs its word', async (t) => {
  const word = phrasesOn(0)[0]?.words[3];
  const at = (word?.endSample ?? 0) - 1;
  const client = await transcribed(stereo(CALL.customer.with(at, (CALL.customer[at] ?? 0) ^ 1), CALL.agent));
  t.deepEqual(client.said(0), expectedOn(0, at, at + 1));
  t.notDeepEqual(client.said(0), expectedOn(0));
});

test('swapped channels are unintelligible speech', async (t) => {
  const client = await transcribed(stereo(CALL.agent, CALL.customer));
  t.deepEqual([...new Set([...client.said(0), ...client.said(1)])], ['[speech]']);
  t.true(client.said(0).length > 3 && client.said(1).length > 3);
});

test('channels mixed without multichannel are unintelligible speech', async (t) => {
  const client = await transcribed(CALL_AUDIO, 4096, { multichannel: 'false' });
  t.true(client.said(0).includes('[speech]'));
  t.true(client.messages.every((m) => m.type !== 'Results' || m.channel_index?.[1] === 1));
});

test('long silence yields empty final results', async (t) => {
  const quiet = new Int16Array(10 * CALL.sampleRateHz);
  const client = await transcribed(stereo(quiet, quiet));
  t.deepEqual([client.said(0), client.said(1)], [[], []]);
  t.true(client.finals(0).length >= 3);
});

test('a call joined in the middle is recognized from the next word on', async (t) => {
  const joinedAt = Math.floor(CALL.customer.length / 2);
  const client = await transcribed(CALL_AUDIO.subarray(joinedAt * 4));
  t.deepEqual(client.said(0), expectedOn(0, 0, joinedAt));
  t.deepEqual(client.said(1), expectedOn(1, 0, joinedAt));
});

test('a call played twice is recognized twice', async (t) => {
  const client = await transcribed(Buffer.concat([CALL_AUDIO, CALL_AUDIO]));
  t.deepEqual(client.said(0), [...expectedOn(0), ...expectedOn(0)]);
});

test('Finalize returns the transcript so far, and the rest follows later', async (t) => {
  const [, , third] = phrasesOn(0)[0]?.words ?? [];
  const cut = (third?.endSample ?? 0) * 4;
  const client = await ListenClient.open(url);
  client.play(CALL_AUDIO.subarray(0, cut));
  client.say('Finalize');
  const flushed = await client.heard((m) => m.channel_index?.[0] === 0 && m.from_finalize === true);
  t.is(transcriptOf(flushed), "hi i'm calling");
  client.play(CALL_AUDIO.subarray(cut));
  await client.finish();
  const [first = '', ...others] = expectedOn(0);
  t.deepEqual(client.said(0), ["hi i'm calling", first.replace("hi i'm calling ", ''), ...others]);
});

for (const [how, close] of [
  ['CloseStream', (client: ListenClient) => client.say('CloseStream')],
  ['an empty message', (client: ListenClient) => client.socket.send(Buffer.alloc(0))],
] as const) {
  test(`${how} ends the stream with its metadata`, async (t) => {
    const client = await ListenClient.open(url, { extra: ['offset:12.5', 'leg:2'], tag: ['a b', 'c'] });
    client.play(CALL_AUDIO);
    close(client);
    t.deepEqual(await client.closed, { code: 1000, reason: '' });
    const last = client.messages.at(-1) as Heard;
    t.is(last.type, 'Metadata');
    t.is(last.sha256, createHash('sha256').update(CALL_AUDIO).digest('hex'));
    t.is(last.duration, CALL.customer.length / CALL.sampleRateHz);
    t.is(last.request_id, String(client.headers['dg-request-id']));
    const { metadata } = client.messages[0] as Heard;
    t.deepEqual(metadata?.extra, { offset: '12.5', leg: '2' });
    t.deepEqual(metadata?.tags, ['a b', 'c']);
  });
}

for (const [what, query, mentions] of [
  ['an unknown encoding', { encoding: 'mp7' }, /encoding/],
  ['a sample rate that is not a number', { sample_rate: 'high' }, /sample_rate/],
  ['no channels', { channels: '0' }, /channels/],
  ['nine channels', { channels: '9' }, /channels/],
  ['an odd multichannel', { multichannel: 'yes' }, /multichannel/],
  ['a callback that cannot be called', { callback: 'ftp://127.0.0.1/' }, /callback/],
  ['a callback that is not a URL', { callback: 'here' }, /callback/],
  ['an unknown model', { model: 'supernova' }, /model/],
  ['keywords with nova-3', { model: 'nova-3', keywords: 'parcel:2' }, /keywords/],
] as const) {
  test(`${what} is refused as a bad request`, async (t) => {
    const { status, headers, body } = await refusalOf(url, callQuery(query));
    t.is(status, 400);
    t.regex(String(headers['dg-error']), mentions);
    t.is(body['request_id'], headers['dg-request-id'] as string);
    t.is(body['err_msg'], headers['dg-error'] as string);
  });
}

test('an encoding without its sample rate is refused as a bad request', async (t) => {
  const { status, headers } = await refusalOf(url, { encoding: 'linear16' });
  t.is(status, 400);
  t.regex(String(headers['dg-error']), /sample_rate/);
});

test('a wrong key is refused', async (t) => {
  const { status, headers, body } = await refusalOf(url, callQuery({}), 'Token wrong');
  t.is(status, 401);
  t.is(body['err_code'], 'INVALID_AUTH');
  t.regex(String(headers['dg-request-id']), /^[0-9a-f-]{36}$/);
});

test('unknown parameters are accepted', async (t) => {
  const client = await transcribed(CALL_AUDIO, 4096, { model: 'nova-3-general', keyterm: ['a', 'b'], tomorrow: 'yes' });
  t.deepEqual(client.said(0), expectedOn(0));
});

for (const [what, send, query] of [
  ['half a frame', (client: ListenClient) => client.socket.send(Buffer.alloc(6)), {}],
  [
    'audio in a coding that it cannot read',
    (client: ListenClient) => client.socket.send(Buffer.alloc(8)),
    { encoding: 'mulaw' },
  ],
  ['text that is not JSON', (client: ListenClient) => client.socket.send('KeepAlive'), {}],
  ['an unknown message', (client: ListenClient) => client.say('Hello'), {}],
] as const) {
  test(`${what} closes the connection with DATA-0000`, async (t) => {
    const client = await ListenClient.open(url, query);
    send(client);
    t.deepEqual(await client.closed, { code: 1008, reason: 'DATA-0000' });
  });
}

test('a recording has every byte that was sent, and the facts of the connection', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'deepgram-recordings-'));
  const recorder = new Program(SCRIPT, ['--rate', 'off', '--recordings', directory]);
  t.teardown(async () => {
    await recorder.stop();
    await rm(directory, { recursive: true });
  });
  const address = await recorder.listening();
  const client = await ListenClient.open(address, { tag: ['x', 'y'] });
  client.play(CALL_AUDIO, 300_000);
  client.say('KeepAlive');
  await client.finish();
  const requestId = String(client.headers['dg-request-id']);
  t.is(byteDifference(await readFile(join(directory, `${requestId}.pcm`)), CALL_AUDIO), 'the same');
  t.is(byteDifference(await audioOf(address, requestId), CALL_AUDIO), 'the same');
  const written = await readFile(join(directory, `${requestId}.json`), 'utf8');
  t.false(written.includes('simulator-key'));
  t.like(JSON.parse(written), {
    requestId,
    open: false,
    closeCode: 1000,
    bytes: CALL_AUDIO.length,
    controlMessages: { KeepAlive: 1, Finalize: 0, CloseStream: 1 },
    audioMessageBytes: [300_000, 300_000, 300_000, 300_000, CALL_AUDIO.length - 1_200_000],
  });
  t.deepEqual(JSON.parse(written).query.slice(-2), [
    ['tag', 'x'],
    ['tag', 'y'],
  ]);
});

test('connections can be inspected while they are open', async (t) => {
  const client = await ListenClient.open(url);
  client.play(CALL_AUDIO.subarray(0, 8000));
  client.say('Finalize');
  await client.heard((m) => m.from_finalize === true);
  const requestId = String(client.headers['dg-request-id']);
  const connections = (await (await fetch(`${url}/simulator/connections`)).json()) as Record<string, unknown>[];
  t.like(
    connections.find((facts) => facts['requestId'] === requestId),
    { open: true, bytes: 8000, audioMessageBytes: [4096, 3904] },
  );
  t.is(byteDifference(await audioOf(url, requestId), CALL_AUDIO.subarray(0, 8000)), 'the same');
  await client.finish();
});

test("Deepgram's own SDK works with it", async (t) => {
  const webSocketUrl = url.replace('http', 'ws');
  const environment = { base: url, production: webSocketUrl, agent: webSocketUrl, agentRest: url };
  const client = new DeepgramClient({ apiKey: 'simulator-key', environment });
  const socket = await client.listen.v1.connect({
    Authorization: 'Token simulator-key',
    model: 'nova-3',
    encoding: 'linear16',
    sample_rate: 8000,
    channels: 2,
    multichannel: 'true',
    reconnectAttempts: 0,
  });
  const said: string[] = [];
  const ended = new Promise<string>((resolve) => {
    socket.on('message', (message) => {
      if (message.type === 'Results' && message.channel_index[0] === 1) said.push(transcriptOf(message as Heard));
      if (message.type === 'Metadata') resolve(message.sha256);
    });
  });
  socket.connect();
  await socket.waitForOpen();
  for (let at = 0; at < CALL_AUDIO.length; at += 4096) socket.sendMedia(CALL_AUDIO.subarray(at, at + 4096));
  socket.sendCloseStream({ type: 'CloseStream' });
  t.is(await ended, createHash('sha256').update(CALL_AUDIO).digest('hex'));
  t.deepEqual(
    said.filter((transcript) => transcript !== ''),
    expectedOn(1),
  );
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends it cleanly, including connections`, async (t) => {
    const program = new Program(SCRIPT, ['--rate', 'off']);
    const client = await ListenClient.open(await program.listening());
    t.is(await program.stop(signal), 0);
    t.is((await client.closed).code, 1006);
  });
}

async function audioOf(base: string, requestId: string): Promise<Buffer> {
  const response = await fetch(`${base}/simulator/connections/${requestId}/audio`);
  return Buffer.from(await response.arrayBuffer());
}
