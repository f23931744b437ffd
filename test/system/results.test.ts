/** A call's events from Deepgram's results to a webhook: trigger-like start, daemon, disk, consumer, each a process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bytesOf } from '../audio/tracks.ts';
import { faultsOfCall, faultsOfOrder, numberedOf } from '../results/sample-call-events.ts';
import { CALL } from '../simulators/deepgram/call-audio.ts';
import type { Fault } from '../simulators/deepgram/faults.ts';
import { WebhookControl } from '../simulators/webhook/client.ts';
import { Program } from '../support/process.ts';
import { Stage } from './stage.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'relay').toString('base64')}`;
/** The daemon is killed while the second connection is open. */
const FAULTS: readonly Fault[] = [
  { closeAfterMs: 5300, code: 1011, reason: 'NET-0000' },
  { none: true },
  { resetAfterMs: 8700 },
];

async function opened(t: ExecutionContext, deepgramArgs: readonly string[] = []) {
  const consumer = new Program('test/simulators/webhook/main.ts', ['--secret', SECRET]);
  const webhook = new WebhookControl(await consumer.listening());
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-state-'));
  const env = {
    STATE_DIR: stateDir,
    RESULTS_WEBHOOK: `${webhook.url}/calls/{contact-id}`,
    RESULTS_SECRET: SECRET,
    RESULTS_ALLOW_LOCAL: 'on',
  };
  const stage = await Stage.open({ env, deepgramArgs });
  t.teardown(async () => {
    await stage.close();
    await consumer.stop('SIGKILL');
    await rm(stateDir, { recursive: true, force: true });
  });
  const call = await stage.call({ customer: bytesOf(CALL.customer), agent: bytesOf(CALL.agent), speed: 4 });
  return { stage, webhook, call };
}

for (const [reading, deepgramArgs, withinMs] of [
  ['exact word times', [], 20],
  ['shifted word times and no finals for silence', ['--word-shift-ms', '200', '--no-silence-finals'], 220],
] as const) {
  test(`over two breaks and kill -9 a consumer that fails for a while gets every word once: ${reading}`, async (t) => {
    const { stage, webhook, call } = await opened(t, deepgramArgs);
    await stage.deepgram.addFaultsFor(call.contactId, ...FAULTS);
    await webhook.setRules({ times: 1, status: 500, accepts: true }, { times: 2, status: 503 });
    t.is((await stage.start(call)).status, 200);
    await stage.deepgramHas(call.contactId, 7000);
    await stage.crash();
    const all = await webhook.eventsToTheEnd();
    const events = numberedOf(all);
    t.deepEqual([...faultsOfOrder(all), ...faultsOfCall(events, { withinMs })], []);
    t.like(events.at(-1), { type: 'session.ended', outcome: 'completed', gapMs: 0, unfinishedMs: 0 });
    const connections = await stage.closed(call.contactId);
    t.true(connections.length >= 4);
  });
}
