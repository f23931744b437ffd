import { randomUUID } from 'node:crypto';
import type { Checkpoint } from '../../daemon/checkpoints/checkpoint.ts';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import type { NewSession } from '../../daemon/session/seed.ts';

const STREAM = 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/a/1';
export const TIME_ZERO_EPOCH_MS = Date.UTC(2026, 2, 14, 15, 9, 26, 535);
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

export function requestOf(contactId: string, changes: Partial<StartRequest> = {}): StartRequest {
  const kvsStream = { arn: STREAM, startFragmentNumber: '1' };
  return { contactId, kvsStream, dgParams: {}, enforceRealtime: false, ...changes };
}

export function checkpointOf(contactId: string, sessionId: string = randomUUID()): Checkpoint {
  return {
    sessionId,
    traceId: TRACE_ID,
    request: requestOf(contactId),
    timeZeroEpochMs: TIME_ZERO_EPOCH_MS,
    position: { fragmentNumber: '7' },
    callClock: undefined,
    callMs: 7000,
    connections: 1,
    savedAtEpochMs: 0,
  };
}

export function newSessionOf(contactId: string, changes: Partial<StartRequest> = {}): NewSession {
  const request = requestOf(contactId, changes);
  return { kind: 'new', sessionId: randomUUID(), traceId: TRACE_ID, request, timeZeroEpochMs: TIME_ZERO_EPOCH_MS };
}
