import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { signatureFault } from '../../daemon/contract/signing.ts';
import { Program } from '../support/process.ts';
import { integratorThat, json, started } from '../trigger/integrator.ts';
import { contactFlowEvent } from './connect/event.ts';
import { readStereoCall } from './connect/wav.ts';
import { Sdk } from './kinesis-video/sdk.ts';

const SECRET = 'a secret of the trigger';
/** Two seconds, played in a fraction of one. */
const FRAMES = 16_000;
const BYTES_PER_FRAME = 4;

/** A WAV file of a stereo call. */
function wav(data: Buffer, channels = 2): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF');
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(36 + data.length, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(8000 * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

/** Connect with its own Kinesis Video, and an integrator that answers with `status`. */
async function connect(t: ExecutionContext, status: number, args: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'connect-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const data = randomBytes(FRAMES * BYTES_PER_FRAME);
  await writeFile(join(directory, 'call.wav'), wav(data));
  const kinesis = new Program('test/simulators/kinesis-video/main.ts');
  t.teardown(() => kinesis.stop());
  const url = await kinesis.listening();
  const integrator = await integratorThat(t, (response) => {
    if (status === 200) started(response);
    else json(response, status, { error: 'bad-request' });
  });
  const where = ['--kinesis', url, '--integrator', integrator.domain, '--wav', join(directory, 'call.wav')];
  const program = new Program('test/simulators/connect/main.ts', [...where, '--speed', '20', ...args], {
    TRIGGER_SECRET: SECRET,
  });
  return { program, url, data, arrivals: integrator.arrivals };
}

test('a call is streamed and the trigger is invoked for it', async (t) => {
  const attributes = ['--attribute', 'dg_model=nova-3', '--attribute', 'dg_tag=a=b c', '--attribute', 'other=x'];
  const { program, url, data, arrivals } = await connect(t, 200, ['--contact-id', 'me', ...attributes]);
  const { streamArn, answer } = await program.line(
    ({ contactId, answer }) => contactId === 'me' && answer !== undefined,
  );
  await program.line(({ ended }) => ended === 'me');
  t.is(await program.exited, 0, program.stderr);
  t.like(answer, { lambdaResult: 'success' });

  const [request] = arrivals;
  t.is(signatureFault(SECRET, request?.headers ?? {}, request?.body ?? '', Date.now()), undefined);
  const { contactId, kvsStream, dgParams } = JSON.parse(request?.body ?? '{}');
  t.is(contactId, 'me');
  t.is(kvsStream.arn, streamArn);
  t.like(dgParams, { model: 'nova-3', tag: ['a=b', 'c', 'dg_amazonconnect'] });
  t.false('other' in dgParams);

  const sdk = new Sdk(url);
  t.teardown(() => sdk.close());
  const reader = await sdk.readCall({
    streamArn: String(streamArn),
    startFragmentNumber: kvsStream.startFragmentNumber,
  });
  const bytes = FRAMES * 2;
  await reader.until((so) => so.pcm('AUDIO_FROM_CUSTOMER').length + so.pcm('AUDIO_TO_CUSTOMER').length === 2 * bytes);
  const left = Buffer.concat(Array.from({ length: FRAMES }, (_, frame) => data.subarray(frame * 4, frame * 4 + 2)));
  t.true(reader.pcm('AUDIO_FROM_CUSTOMER').equals(left));
});

test('each of several calls at once has its own contact and stream', async (t) => {
  const { program, arrivals } = await connect(t, 200, ['--calls', '3', '--stream', 'busy-hour']);
  t.is(await program.exited, 0, program.stderr);
  const calls = program.lines.filter(({ streamArn }) => streamArn !== undefined);
  t.is(new Set(calls.map(({ contactId }) => contactId)).size, 3);
  t.is(new Set(calls.map(({ streamArn }) => streamArn)).size, 3);
  t.is(program.lines.filter(({ ended }) => ended !== undefined).length, 3);
  t.is(arrivals.length, 3);
});

test('a call continues if the trigger cannot start a session, and the exit code shows it', async (t) => {
  const { program } = await connect(t, 400, ['--contact-id', 'me']);
  const { answer } = await program.line(({ contactId, answer }) => contactId === 'me' && answer !== undefined);
  await program.line(({ ended }) => ended === 'me');
  t.is(await program.exited, 1);
  t.like(answer, { lambdaResult: 'fail' });
});

test('the event of a contact flow has its fields', (t) => {
  const facts = {
    contactId: 'me',
    streamArn: 'arn',
    startFragmentNumber: '7',
    startedAtMs: 5,
    attributes: { dg_a: 'b' },
  };
  const event = contactFlowEvent(facts);
  t.like(event, {
    Name: 'ContactFlowEvent',
    Details: {
      ContactData: {
        ContactId: 'me',
        InitialContactId: 'me',
        Channel: 'VOICE',
        Attributes: { dg_a: 'b' },
        CustomerEndpoint: { Type: 'TELEPHONE_NUMBER' },
        MediaStreams: { Customer: { Audio: { StreamARN: 'arn', StartTimestamp: '5', StartFragmentNumber: '7' } } },
      },
      Parameters: {},
    },
  });
});

test('the event of a transfer names the previous and the first contact', (t) => {
  const event = contactFlowEvent({
    contactId: 'me',
    streamArn: 'arn',
    startFragmentNumber: '7',
    startedAtMs: 5,
    attributes: {},
    transferredFrom: { contactId: 'second', initialContactId: 'first' },
  });
  t.like(event.Details.ContactData, {
    ContactId: 'me',
    PreviousContactId: 'second',
    InitialContactId: 'first',
    InitiationMethod: 'TRANSFER',
  });
});

test('a WAV file in another format is rejected by name', (t) => {
  t.throws(() => readStereoCall(wav(Buffer.alloc(8), 1)), { message: /"channels":1/ });
  t.throws(() => readStereoCall(Buffer.from('ID3 not a wav file')), { message: /Not a WAV file/ });
});
