import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createLog } from '../../daemon/observe/log.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import type { Checkpoint } from '../../daemon/session/checkpoint.ts';
import { Checkpoints } from '../../daemon/session/checkpoints.ts';
import { Seal } from '../../daemon/session/seal.ts';

const START_MS = 1_700_000_000_000;

/** Checkpoints in a directory of their own, at a time that the test sets. */
async function kept(t: ExecutionContext, directory?: string) {
  const home = await mkdtemp(join(tmpdir(), 'integratord-age-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const clock = { nowMs: START_MS, now: () => clock.nowMs, epoch: () => clock.nowMs };
  const checkpoints = new Checkpoints(directory ?? home, new Seal(fixedSecret('the key')), clock, createLog('silent'));
  const save = (sessionId: string) => checkpoints.save(checkpointOf(sessionId, clock.nowMs));
  return { clock, checkpoints, save };
}

function checkpointOf(sessionId: string, savedAtEpochMs: number): Checkpoint {
  const kvsStream = { arn: 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/a/1', startFragmentNumber: '1' };
  const request = { contactId: sessionId, kvsStream, dgParams: {}, enforceRealtime: false };
  const position = { fragmentNumber: '1' };
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  return { sessionId, traceId, request, position, callClock: undefined, callMs: 0, connections: 1, savedAtEpochMs };
}

test('without a session there is no checkpoint that could be old', async (t) => {
  t.is((await kept(t)).checkpoints.oldestAgeMs, 0);
});

test('the oldest checkpoint of a running session is told, and that of an ended one no more', async (t) => {
  const { clock, checkpoints, save } = await kept(t);
  save('a');
  clock.nowMs += 3000;
  save('b');
  clock.nowMs += 500;
  t.is(checkpoints.oldestAgeMs, 3500);
  await checkpoints.remove('a');
  t.is(checkpoints.oldestAgeMs, 500);
  await checkpoints.remove('b');
  t.is(checkpoints.oldestAgeMs, 0);
});

test('a checkpoint that cannot be written grows old from the first attempt on', async (t) => {
  const { clock, checkpoints, save } = await kept(t, '/dev/null/nowhere');
  save('a');
  clock.nowMs += 60_000;
  save('a');
  t.is(checkpoints.oldestAgeMs, 60_000);
});
