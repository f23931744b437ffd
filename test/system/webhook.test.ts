import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { NumberedEvent } from '../../daemon/contract/events.ts';
import { bytesOf } from '../audio/tracks.ts';
import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import { WebhookControl } from '../simulators/webhook/client.ts';
import { Program } from '../support/process.ts';
import { Simulators, Stage } from './stage.ts';

const FALLING = `--import=${new URL('falling-thread.ts', import.meta.url)}`;
const CALL = loadSampleCall();

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

for (const end of ['kill -9', 'the end of its thread'] as const) {
  test(`a call reaches its webhook, signed, in order and whole, across ${end} and a consumer that fails`, async (t) => {
    const stateDir = await mkdtemp(join(tmpdir(), 'integratord-webhook-'));
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const consumer = new Program('test/simulators/webhook/main.ts', ['--secret', secret]);
    const url = await consumer.listening();
    const control = new WebhookControl(url);
    await control.setRules(
      { times: 2, status: 500 },
      { times: 1, status: 429, headers: { 'retry-after': '1' } },
      { times: 1, resets: true, accepts: true },
    );
    const stage = await Stage.open({
      simulators,
      env: {
        STATE_DIR: stateDir,
        STATE_KEY: 'state-key-of-the-stage',
        RESULTS_WEBHOOK: `${url}/{contact-id}`,
        RESULTS_SECRET: secret,
        RESULTS_ALLOW_LOCAL: 'on',
        ...(end === 'kill -9' ? {} : { WORKERS: '2', NODE_OPTIONS: FALLING, FALLING_THREADS: stateDir }),
      },
    });
    t.teardown(async () => {
      await stage.close();
      await consumer.stop('SIGKILL');
      await rm(stateDir, { recursive: true, force: true });
    });
    const call = await stage.call({ customer: bytesOf(CALL.customer), agent: bytesOf(CALL.agent), speed: 3 });
    t.is((await stage.start(call)).status, 200);
    await stage.deepgramHas(call.contactId, 15_000);
    if (end === 'kill -9') await stage.crash();
    else await writeFile(join(stateDir, 'worker-1'), '');
    if (end !== 'kill -9') await stage.daemon.line(({ event }) => event === 'thread.lost');
    await stage.ended(call.contactId);
    process.kill(stage.daemon.pid, 'SIGTERM');
    t.is(await stage.daemon.exited, 0);
    const events = (await control.events()) as NumberedEvent[];
    const numbers = [...new Set(events.filter(({ sequence }) => sequence).map(({ sequence }) => sequence))];
    t.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, index) => index + 1),
    );
    t.is(events[0]?.type, 'session.started');
    t.like(events.at(-1), { type: 'session.ended', outcome: 'completed', gapMs: 0 });
    const byId = new Map(events.map((event) => [event.id, event]));
    const finals = [...byId.values()].flatMap((event) => (event.type === 'transcript' ? [event] : []));
    const words = (speaker: string) =>
      finals.filter((each) => each.speaker === speaker).flatMap((each) => each.words.map(({ text }) => text));
    const spoken = (speaker: string) =>
      CALL.phrases.filter((each) => each.speaker === speaker).flatMap((each) => each.words.map(({ word }) => word));
    t.deepEqual(
      words('CUSTOMER').map((word) => word.toLowerCase().replaceAll(/[^a-z0-9']/g, '')).length,
      spoken('customer').length,
    );
    t.deepEqual(words('AGENT').length, spoken('agent').length);
    t.true((await control.requests()).every(({ isVerified, path }) => isVerified && path === `/${call.contactId}`));
  });
}
