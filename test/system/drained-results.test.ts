/** A drain ends only when every event is delivered or a dead letter: the disk may go with the instance. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { NumberedEvent } from '../../daemon/contract/events.ts';
import { transcriptsOf } from '../../trigger/receiver/transcript.ts';
import { bytesOf } from '../audio/tracks.ts';
import { faultsOfOrder, numberedOf } from '../results/sample-call-events.ts';
import { CALL, expectedOn } from '../simulators/deepgram/call-audio.ts';
import { WebhookControl } from '../simulators/webhook/client.ts';
import { Program } from '../support/process.ts';
import { Relay } from '../support/relay.ts';
import { ask } from './control.ts';
import { Simulators, Stage } from './stage.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'drain').toString('base64')}`;
const DEADLINE_MS = 3000;

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

/** A daemon that drains within this time, and whose consumer is unreachable until its connection is restored. */
async function opened(t: ExecutionContext, deadlineMs = DEADLINE_MS) {
  const consumer = new Program('test/simulators/webhook/main.ts', ['--secret', SECRET]);
  const webhook = new WebhookControl(await consumer.listening());
  const road = await Relay.to(webhook.url);
  road.cut();
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-drained-'));
  const socketPath = join(stateDir, 'control');
  const stage = await Stage.open({
    simulators,
    env: {
      STATE_DIR: stateDir,
      CONTROL_SOCKET: socketPath,
      DRAIN_DEADLINE_MS: String(deadlineMs),
      RESULTS_WEBHOOK: `${road.url}/{contact-id}`,
      RESULTS_SECRET: SECRET,
      RESULTS_ALLOW_LOCAL: 'on',
    },
  });
  t.teardown(async () => {
    await stage.close();
    await road.close();
    await consumer.stop('SIGKILL');
    await rm(stateDir, { recursive: true, force: true });
  });
  const play = async (speed: number) => {
    const call = await stage.call({ customer: bytesOf(CALL.customer), agent: bytesOf(CALL.agent), speed });
    t.is((await stage.start(call)).status, 200);
    return call.contactId;
  };
  /** Drains the daemon; resolves with how long that took. */
  const drain = async () => {
    const startedAtMs = Date.now();
    process.kill(stage.daemon.pid, 'SIGTERM');
    t.is(await stage.daemon.exited, 0);
    return Date.now() - startedAtMs;
  };
  return {
    stage,
    webhook,
    road,
    play,
    drain,
    control: (method: string, path: string) => ask(socketPath, method, path),
  };
}

test('at the deadline the events of an ended call become dead letters, which any later process delivers', async (t) => {
  const { stage, webhook, road, play, drain, control } = await opened(t);
  const contactId = await play(8);
  await stage.ended(contactId);
  t.true((await control('GET', '/v1/results')).body.backlog > 0);
  t.true((await drain()) >= DEADLINE_MS);
  t.deepEqual(await webhook.requests(), []);
  await stage.crash(async () => road.restore());
  t.like((await control('GET', '/v1/results')).body, { backlog: 0 });
  t.like((await control('POST', '/v1/results/retry')).body, { left: 0, unreadable: 0 });
  const received = await webhook.events();
  t.deepEqual(faultsOfOrder(received), []);
  t.is(numberedOf(received).at(-1)?.type, 'session.ended');
  for (const [channel, speaker] of ['CUSTOMER', 'AGENT'].entries())
    t.deepEqual(saidBy(received, speaker), expectedOn(channel).join(' '), speaker);
});

test('a second signal does not wait for the consumer, also when no call is left', async (t) => {
  const { stage, webhook, road, play, control } = await opened(t, 0);
  await stage.ended(await play(8));
  process.kill(stage.daemon.pid, 'SIGTERM');
  await stage.daemon.line(({ event }) => event === 'drain.done');
  t.is((await control('GET', '/v1/status')).body.drain.state, 'drained');
  process.kill(stage.daemon.pid, 'SIGTERM');
  t.is(await stage.daemon.exited, 0);
  t.deepEqual(await webhook.requests(), []);
  await stage.crash(async () => road.restore());
  t.like((await control('POST', '/v1/results/retry')).body, { left: 0, unreadable: 0 });
  t.is(numberedOf(await webhook.events()).at(-1)?.type, 'session.ended');
});

test('a call that the deadline ends has its session.ended; if it resumes, its next epoch has the rest', async (t) => {
  const { stage, webhook, road, play, drain } = await opened(t);
  road.restore();
  const contactId = await play(2);
  await stage.deepgramHas(contactId, 9000);
  await drain();
  const drained = await webhook.events();
  t.deepEqual(faultsOfOrder(drained), []);
  t.like(numberedOf(drained).at(-1), { type: 'session.ended', outcome: 'failed', reason: 'interrupted' });
  await stage.crash();
  const events = await inAllEpochs(webhook);
  t.like(
    events.find(({ epoch }) => epoch === 2),
    { type: 'session.resumed', cause: 'interrupted', sequence: 1 },
  );
  t.like(events.at(-1), { type: 'session.ended', outcome: 'completed', epoch: 2 });
  assertWhole(t, events);
});

test('its events become dead letters if the consumer is away, and belong to the call whenever they come', async (t) => {
  const { stage, webhook, road, play, drain, control } = await opened(t);
  const contactId = await play(2);
  await stage.deepgramHas(contactId, 9000);
  t.true((await drain()) >= DEADLINE_MS);
  t.deepEqual(await webhook.requests(), []);
  await stage.crash(async () => road.restore());
  await webhook.eventsToTheEnd();
  t.like((await control('POST', '/v1/results/retry')).body, { left: 0, unreadable: 0 });
  const events = await inAllEpochs(webhook);
  t.like(events.at(-1), { type: 'session.ended', outcome: 'completed', epoch: 2 });
  t.like(
    events.filter(({ epoch }) => epoch === 2),
    [{ type: 'session.resumed' }, { type: 'gap', cause: 'undelivered' }],
  );
  assertWhole(t, events);
});

/** All events once epoch 2 has ended, as a consumer orders them. */
async function inAllEpochs(webhook: WebhookControl): Promise<NumberedEvent[]> {
  const events = await webhook.eventsOnce((each) => lastOf(inOrder(each)) === 'session.ended');
  return inOrder(events);
}

function inOrder(events: Parameters<typeof numberedOf>[0]): NumberedEvent[] {
  return numberedOf(events).toSorted((one, other) => one.epoch - other.epoch || one.sequence - other.sequence);
}

/** The type of the last event, if it is of epoch 2. */
function lastOf(events: readonly NumberedEvent[]): string | undefined {
  const last = events.at(-1);
  return last?.epoch === 2 ? last.type : undefined;
}

/** Each word is there once, numbers have no gap, and there is nothing to forget: the disk was kept. */
function assertWhole(t: ExecutionContext, events: readonly NumberedEvent[]): void {
  t.like(transcriptsOf(events), [{ missing: [], ended: { outcome: 'completed' } }]);
  for (const [channel, speaker] of ['CUSTOMER', 'AGENT'].entries())
    t.deepEqual(saidBy(events, speaker), expectedOn(channel).join(' '), speaker);
}

function saidBy(received: Parameters<typeof numberedOf>[0], speaker: string): string {
  return numberedOf(received)
    .flatMap((event) => (event.type === 'transcript' && event.speaker === speaker ? event.words : []))
    .map(({ text }) => text)
    .join(' ');
}
