import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CheckpointCipher } from '../../daemon/checkpoints/checkpoint-cipher.ts';
import { Checkpoints, type Followed } from '../../daemon/checkpoints/checkpoints.ts';
import { StateDirectory } from '../../daemon/checkpoints/state-directory.ts';
import { createLog } from '../../daemon/log/log.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';

const START_MS = 1_700_000_000_000;

/** Checkpoints in a directory of their own, at a time that the test sets. */
async function kept(t: ExecutionContext, directory?: string) {
  const home = await mkdtemp(join(tmpdir(), 'integratord-age-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const clock = { ...systemClock, nowMs: START_MS, now: () => clock.nowMs, epoch: () => clock.nowMs };
  const state = new StateDirectory(directory ?? home, new CheckpointCipher(fixedSecret('the key')));
  const checkpoints = new Checkpoints('main', state, clock, createLog('silent'));
  return { clock, checkpoints, move: (sessionId: string) => checkpoints.moved(followed(sessionId)) };
}

function followed(sessionId: string): Followed {
  const kvsStream = { arn: 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/a/1', startFragmentNumber: '1' };
  const request = { contactId: sessionId, kvsStream, dgParams: {}, enforceRealtime: false };
  const where = { position: { fragmentNumber: '1' }, callClock: undefined, callMs: 0, connections: 1 };
  return { sessionId, traceId: '0af7651916cd43dd8448eb211c80319c', request, resumePoint: () => where };
}

test('without a session there is no checkpoint that could be old', async (t) => {
  t.is((await kept(t)).checkpoints.oldestAgeMs, 0);
});

test('the oldest checkpoint of a running session is told, and that of an ended one no more', async (t) => {
  const { clock, checkpoints, move } = await kept(t);
  move('a');
  clock.nowMs += 3000;
  move('b');
  clock.nowMs += 500;
  t.is(checkpoints.oldestAgeMs, 3500);
  await checkpoints.remove('a');
  t.is(checkpoints.oldestAgeMs, 500);
  await checkpoints.remove('b');
  t.is(checkpoints.oldestAgeMs, 0);
});

test('a write makes the checkpoints of all young but one that is settled: its session reads no more', async (t) => {
  const { clock, checkpoints, move } = await kept(t);
  move('a');
  move('b');
  clock.nowMs += 3000;
  t.true(await checkpoints.flush());
  t.is(checkpoints.oldestAgeMs, 0);
  checkpoints.settle('a');
  clock.nowMs += 2000;
  t.true(await checkpoints.flush());
  t.is(checkpoints.oldestAgeMs, 2000);
  await checkpoints.remove('a');
  t.is(checkpoints.oldestAgeMs, 0);
  await checkpoints.remove('b');
});

test('a checkpoint that cannot be written grows old from the first attempt on', async (t) => {
  const { clock, checkpoints, move } = await kept(t, '/dev/null/nowhere');
  move('a');
  clock.nowMs += 60_000;
  t.false(await checkpoints.flush());
  t.is(checkpoints.oldestAgeMs, 60_000);
  await checkpoints.remove('a');
});
