import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { NumberedEvent } from '../../daemon/contract/events.ts';
import { WebhookControl } from '../simulators/webhook/client.ts';
import { Program } from '../support/process.ts';

const FINALS = 40;
const EVERY_MS = 20;

test('a real process is killed three times while its consumer fails: every event once by id, in order', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'integratord-results-'));
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const consumer = new Program('test/simulators/webhook/main.ts', ['--secret', secret]);
  t.teardown(async () => {
    await consumer.stop('SIGKILL');
    await rm(stateDir, { recursive: true });
  });
  const url = await consumer.listening();
  const control = new WebhookControl(url);
  await control.setRules(
    { times: 3, status: 500 },
    { times: 2, status: 429, headers: { 'retry-after': '0' }, accepts: true },
    { times: 2, resets: true, accepts: true },
  );
  const sessionIds = Array.from({ length: 5 }, () => randomUUID());
  const webhook = `${url}/{contact-id}`;
  const order = { stateDir, webhook, secret, sessionIds, finals: FINALS, everyMs: EVERY_MS };
  for (const aliveMs of [250, 400, 150]) {
    const killed = new Program('test/results/delivering-process.ts', [JSON.stringify({ ...order, ends: false })]);
    await killed.listening();
    await sleep(aliveMs);
    await killed.stop('SIGKILL');
  }
  const last = new Program('test/results/delivering-process.ts', [JSON.stringify({ ...order, ends: true })]);
  t.is(await last.exited, 0);
  const events = (await control.events()) as NumberedEvent[];
  for (const sessionId of sessionIds) {
    const mine = events.filter((event) => event.sessionId === sessionId);
    const byId = new Map(mine.map((event) => [event.id, JSON.stringify(event)]));
    for (const event of mine) t.is(byId.get(event.id), JSON.stringify(event), 'one id, one content');
    // A process that is killed before its first write has said nothing.
    const latest = Math.max(...mine.map(({ epoch }) => epoch));
    const numbers = [...new Set(mine.filter(({ epoch }) => epoch === latest).map(({ sequence }) => sequence))];
    t.deepEqual(
      numbers,
      Array.from({ length: FINALS + 2 }, (_, index) => index + 1),
    );
    t.is(mine.at(-1)?.type, 'session.ended');
  }
  t.true((await control.requests()).every(({ isVerified }) => isVerified));
});
