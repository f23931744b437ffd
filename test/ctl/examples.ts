import type { DrainView, EndedSession, SessionView, Status } from '../../daemon/contract/control-api.ts';

const MINUTE_MS = 60_000;
/** 2026-01-02T03:04:05Z. */
export const NOW_EPOCH_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

export function aSession(given: Partial<SessionView> = {}): SessionView {
  return {
    sessionId: 'c0ffee00-0000-4000-8000-000000000001',
    contactId: 'fade0000-0000-4000-8000-00000000000a',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    state: 'running',
    ageMs: 62 * MINUTE_MS,
    audioMs: 61 * MINUTE_MS,
    lagMs: 12,
    worstLagMs: 345,
    gapMs: 0,
    repeatedMs: 0,
    reconnects: 0,
    replayedMs: 0,
    worstBufferBytes: 10_240,
    deepgramRequestIds: ['request-1'],
    model: 'nova-3',
    callbackHost: 'results.example.com',
    ...given,
  };
}

export function anEnded(given: Partial<EndedSession> = {}): EndedSession {
  return {
    sessionId: 'dead0000-0000-4000-8000-000000000001',
    contactId: 'fade0000-0000-4000-8000-00000000000b',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    outcome: 'completed',
    reason: 'no-more-fragments',
    endedAtEpochMs: NOW_EPOCH_MS - 5 * MINUTE_MS,
    ageMs: 4 * MINUTE_MS,
    audioMs: 3 * MINUTE_MS,
    gapMs: 0,
    reconnects: 0,
    worstLagMs: 210,
    ...given,
  };
}

export function aDrain(given: Partial<DrainView> = {}): DrainView {
  return {
    source: 'operator',
    reason: 'no reason given',
    sinceEpochMs: NOW_EPOCH_MS,
    deadlineAtEpochMs: null,
    takesStartsUntilEpochMs: NOW_EPOCH_MS + 1000,
    sessionsLeft: 3,
    longestCallMs: 12 * MINUTE_MS + 4000,
    state: 'draining',
    ...given,
  };
}

export function aStatus(given: Partial<Status> = {}): Status {
  return {
    version: '9.8.7',
    node: 'v24.0.0',
    pid: 4711,
    startedAtEpochMs: NOW_EPOCH_MS,
    uptimeMs: 26 * 60 * MINUTE_MS,
    state: 'serving',
    region: 'us-east-1',
    sessions: 12,
    maxSessions: 500,
    lifecycle: { on: false },
    checkpoints: true,
    unsignedStarts: false,
    logLevel: 'info',
    lagMs: 345,
    gapMs: 0,
    lastHour: { ended: 7, failed: 0, gapMs: 0 },
    ...given,
  };
}
