import test from 'ava';
import fc from 'fast-check';
import { CallEnd, type EndedConnection } from '../../daemon/kinesis/call-end.ts';

const GRACE_MS = 15_000;
const STALL_MS = 7500;
const callEnd = new CallEnd({ callEndGraceMs: GRACE_MS });

/** A connection that ended by itself and brought nothing, `silentMs` after the last audio. */
function ended(silentMs: number, rest: Partial<EndedConnection> = {}): EndedConnection {
  return {
    how: 'closed',
    receivedAudio: false,
    lastAudioAtMs: 1000,
    emptyAttempts: 0,
    nowMs: 1000 + silentMs,
    ...rest,
  };
}

const HOURS_MS = 5 * 3_600_000;

test('the next contact ends the call at once, though audio has just arrived', (t) => {
  const decision = callEnd.afterConnection(ended(0, { how: 'next-contact', receivedAudio: true }));
  t.deepEqual(decision, { isOver: true, reason: 'next-contact' });
});

test('a stop ends the call at once', (t) => {
  t.deepEqual(callEnd.afterConnection(ended(0, { how: 'stopped' })), { isOver: true, reason: 'stopped' });
});

test('a connection that brought audio does not end the call, however long ago that was', (t) => {
  for (const silentMs of [0, GRACE_MS, HOURS_MS]) {
    t.like(callEnd.afterConnection(ended(silentMs, { receivedAudio: true, emptyAttempts: 5 })), {
      isOver: false,
      emptyAttempts: 0,
    });
  }
});

test('one empty attempt does not end the call, however long it took', (t) => {
  t.like(callEnd.afterConnection(ended(HOURS_MS)), { isOver: false, emptyAttempts: 1 });
});

test('empty attempts do not end the call within the grace period, however many', (t) => {
  const decision = callEnd.afterConnection(ended(GRACE_MS - 1, { emptyAttempts: 100 }));
  t.like(decision, { isOver: false, emptyAttempts: 101 });
});

for (const how of ['closed', 'idle', 'broken', 'foreign-fragments'] as const) {
  test(`a second empty attempt (${how}) after the grace period ends the call`, (t) => {
    const decision = callEnd.afterConnection(ended(GRACE_MS, { how, emptyAttempts: 1 }));
    t.deepEqual(decision, { isOver: true, reason: 'no-more-fragments' });
  });
}

test('a rotation is not an attempt: the call continues, and the count restarts', (t) => {
  const decision = callEnd.afterConnection(ended(HOURS_MS, { how: 'rotated', emptyAttempts: 5 }));
  t.deepEqual(decision, { isOver: false, emptyAttempts: 0, silenceLimitMs: STALL_MS });
});

test('during a call a connection may be idle for READ_STALL_MS, but at most half the grace period', (t) => {
  t.is(callEnd.stallMs, STALL_MS);
  t.is(new CallEnd({ callEndGraceMs: 60_000 }).stallMs, 10_000);
});

test('two attempts share the rest of the grace period, and the last one gets all of it', (t) => {
  t.like(callEnd.afterConnection(ended(5000, { receivedAudio: true })), { silenceLimitMs: 5000 });
  t.like(callEnd.afterConnection(ended(5000)), { emptyAttempts: 1, silenceLimitMs: 10_000 });
  t.like(callEnd.afterConnection(ended(12_000, { emptyAttempts: 4 })), { silenceLimitMs: 3000 });
});

test('an attempt has at least 2 s, the time for a round trip while all calls reconnect, or half the grace period', (t) => {
  t.like(callEnd.afterConnection(ended(GRACE_MS - 100, { emptyAttempts: 1 })), { silenceLimitMs: 2000 });
  t.like(callEnd.afterConnection(ended(HOURS_MS)), { silenceLimitMs: 2000 });
  t.like(new CallEnd({ callEndGraceMs: 1000 }).afterConnection(ended(HOURS_MS)), { silenceLimitMs: 500 });
});

test('a silent call ends after at least two attempts and the grace period, and at most one attempt later', (t) => {
  const how = fc.constantFrom('closed' as const, 'idle' as const, 'broken' as const);
  const attempts = fc.infiniteStream(fc.record({ how, share: fc.double({ min: 0, max: 1, noNaN: true }) }));
  fc.assert(
    fc.property(
      attempts,
      fc.integer({ min: 1000, max: 600_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      (all, graceMs, lateMs) => {
        const rules = new CallEnd({ callEndGraceMs: graceMs });
        const shortestMs = Math.min(2000, graceMs / 2);
        let nowMs = lateMs;
        let decision = rules.afterConnection(ended(0, { lastAudioAtMs: 0, receivedAudio: true, nowMs }));
        let attempts = 0;
        let longestMs = 0;
        for (const { how, share } of all) {
          if (decision.isOver) break;
          // A connection is idle until its limit, or ends earlier; a retry takes a moment.
          const tookMs = 1 + (how === 'idle' ? decision.silenceLimitMs : decision.silenceLimitMs * share);
          longestMs = Math.max(shortestMs, tookMs);
          nowMs += tookMs;
          attempts++;
          const { emptyAttempts } = decision;
          decision = rules.afterConnection({ how, receivedAudio: false, lastAudioAtMs: 0, emptyAttempts, nowMs });
        }
        t.true(attempts >= 2);
        t.true(nowMs >= graceMs);
        t.true(
          nowMs <= Math.max(graceMs, lateMs + 2 * (shortestMs + 1)) + longestMs,
          `${nowMs} of ${graceMs} ms, ${attempts} attempts`,
        );
      },
    ),
  );
});
