import test from 'ava';
import { identityOf, startingPointOf, timeZeroOf } from '../../daemon/session/seed.ts';
import { checkpointOf, newSessionOf, requestOf } from '../support/session-builders.ts';

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

const NOW_EPOCH_MS = Date.UTC(2026, 2, 14, 15, 9, 26);
const STREAMED_SINCE: [title: string, startTimestamp: string | undefined, ageMs: number][] = [
  ['is when Connect began to stream', '2026-03-14T15:09:24.500Z', 1500],
  ['is when the session starts if that is unknown', undefined, 0],
  ['is never in the future', '2026-03-14T15:10:00.000Z', 0],
];
for (const [title, startTimestamp, ageMs] of STREAMED_SINCE) {
  test(`the wall time of call time 0 ${title}`, (t) => {
    const kvsStream = { arn: 'arn:aws:kinesisvideo:…', startFragmentNumber: '1', startTimestamp };
    t.is(timeZeroOf(requestOf('a', { kvsStream }), NOW_EPOCH_MS), NOW_EPOCH_MS - ageMs);
  });
}
