import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { contactFlowEvent, invoke } from '../trigger/invocation.ts';
import { ask } from './control.ts';
import { Stage } from './stage.ts';

const SECOND = 8000;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;

async function tracedStage(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-trace-'));
  const socket = join(directory, 'control.sock');
  const stage = await Stage.open({ env: { CONTROL_SOCKET: socket, STATE_DIR: join(directory, 'state') } });
  t.teardown(async () => {
    await stage.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { stage, socket };
}

test('a trace leads from the trigger’s log through the daemon’s to Deepgram’s request id', async (t) => {
  const { stage } = await tracedStage(t);
  const call = await stage.call({ customer: bytesOf(distinctSamples(2 * SECOND)), speed: 4 });
  const event = contactFlowEvent({ dg_tag: call.contactId });
  const { ContactData } = event.Details;
  ContactData.ContactId = call.contactId;
  ContactData.MediaStreams.Customer.Audio.StreamARN = call.kvsStream.arn;
  ContactData.MediaStreams.Customer.Audio.StartFragmentNumber = call.kvsStream.startFragmentNumber;
  const env = {
    KVS_DG_INTEGRATOR_DOMAIN: new URL(stage.url).host,
    _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
  };
  const { result, lines } = await invoke(event, { env });
  t.is(result.lambdaResult, 'success');
  const traceId = '5759e988bd862e3fe1be46a994272793';
  t.like(JSON.parse(lines.at(-1) ?? ''), { event: 'trigger.succeeded', contactId: call.contactId, traceId });

  const ended = await stage.ended(call.contactId);
  const ofTrace = stage.daemon.lines.filter((line) => line['traceId'] === traceId);
  t.deepEqual(
    ofTrace,
    stage.daemon.lines.filter((line) => line['contactId'] === call.contactId),
    'every line of the session has the trace, and no other',
  );
  const [connection] = await stage.closed(call.contactId);
  const started = ofTrace.find((line) => line['event'] === 'session.started');
  t.is(started?.['deepgramRequestId'], connection?.requestId);
  t.regex(String(started?.['kinesisRequestId']), /./);
  t.deepEqual(ended['deepgramRequestIds'], [connection?.requestId]);
});

test('a session keeps its trace after a crash, and shows it to operators', async (t) => {
  const { stage, socket } = await tracedStage(t);
  const request = await stage.call({ customer: bytesOf(distinctSamples(60 * SECOND)) });
  const headers = { traceparent: TRACEPARENT };
  const { sessionId } = (await stage.start(request, { headers })).body;
  await stage.deepgramHas(request.contactId, 3000);
  await stage.crash();
  t.like(await stage.daemon.line(({ event }) => event === 'session.started'), { sessionId, traceId: TRACE });
  const { session } = (await ask(socket, 'GET', `/v1/sessions/${sessionId}`)).body;
  t.is(session.traceId, TRACE);

  const later = { traceparent: TRACEPARENT.replace(TRACE, 'f'.repeat(32)) };
  t.is((await stage.start(request, { headers: later })).body['status'], 'already-running');
  t.like(await stage.daemon.line(({ event }) => event === 'start.repeated'), {
    traceId: 'f'.repeat(32),
    contactId: request.contactId,
    sessionId,
  });
});

test('an invalid traceparent is ignored, and a refused start is logged with its contact and trace', async (t) => {
  const { stage } = await tracedStage(t);
  const request = await stage.call({ customer: bytesOf(distinctSamples(SECOND)), speed: 4 });
  const malformed = 'planted\u0022-traceparent';
  t.is((await stage.start(request, { headers: { traceparent: malformed } })).status, 200);
  const { traceId } = await stage.daemon.line(({ event }) => event === 'session.started');
  t.regex(String(traceId), /^[0-9a-f]{32}$/);

  const unknown = {
    ...request,
    contactId: 'no-such',
    kvsStream: { ...request.kvsStream, arn: `${request.kvsStream.arn}0` },
  };
  t.is((await stage.start(unknown, { headers: { traceparent: TRACEPARENT } })).status, 404);
  const refused = await stage.daemon.line(({ event }) => event === 'start.refused');
  t.like(refused, { contactId: 'no-such', traceId: TRACE, reason: 'kinesis-refused' });
  t.regex(String(refused['requestId']), /./, 'with the id of AWS’ answer');
});
