import test from 'ava';
import { identityOf, startingPointOf } from '../../daemon/session/seed.ts';
import { checkpointOf, newSessionOf } from '../support/session-builders.ts';

test('a new session starts at time 0 of the call, at the beginning that Connect names', (t) => {
  const seed = newSessionOf('a', { kvsStream: { arn: 'arn:aws:kinesisvideo:…', startFragmentNumber: '91343' } });
  const { position, callClock, callMs, connections } = startingPointOf(seed);
  t.deepEqual(position, { isCallStart: true, fragmentNumber: '91343', atEpochMs: undefined });
  t.is(callClock, undefined);
  t.deepEqual([callMs, connections], [0, 0]);
  t.is(identityOf(seed).sessionId, seed.sessionId);
});

test('a new session with a StartTimestamp starts reading ten seconds before it', (t) => {
  const startTimestamp = '2026-11-28T17:57:52.123Z';
  const kvsStream = { arn: 'arn:aws:kinesisvideo:…', startFragmentNumber: '91343', startTimestamp };
  const { position } = startingPointOf(newSessionOf('a', { kvsStream }));
  t.like(position, { fragmentNumber: '91343', atEpochMs: Date.parse(startTimestamp) - 10_000 });
});

test('a resumed session starts at its checkpoint, under the same ids', (t) => {
  const checkpoint = checkpointOf('a');
  const seed = { kind: 'resumed', checkpoint } as const;
  t.like(startingPointOf(seed), { position: { fragmentNumber: '7' }, callMs: 7000, connections: 1 });
  t.like(identityOf(seed), { sessionId: checkpoint.sessionId, traceId: checkpoint.traceId });
});
