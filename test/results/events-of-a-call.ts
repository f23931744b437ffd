import { eventId, type NumberedContent, type NumberedEvent, type Speaker } from '../../daemon/contract/events.ts';

export const INSTANCE_ARN = 'arn:aws:connect:us-east-1:123456789012:instance/12345678-1234-1234-1234-123456789012';

const AT = '2026-01-01T00:00:00.000Z';

interface CallOptions {
  readonly sessionId: string;
  readonly contactId?: string;
  readonly epoch?: number;
}

/** Numbers the events of a session's epoch. */
export function numbered(
  contents: readonly NumberedContent[],
  { sessionId, contactId = 'contact-1', epoch = 1 }: CallOptions,
): NumberedEvent[] {
  return contents.map((content, at) => {
    const sequence = at + 1;
    const id = eventId(sessionId, epoch, sequence);
    return { version: 1, contactId, sessionId, epoch, at: AT, sequence, id, ...content };
  });
}

export function started(facts: { language?: string } = {}): NumberedContent {
  return { type: 'session.started', contact: { instanceArn: INSTANCE_ARN }, startedAt: AT, ...facts };
}

export function resumed(customerMs: number, agentMs = customerMs): NumberedContent {
  const from = { CUSTOMER: customerMs, AGENT: agentMs };
  return { type: 'session.resumed', startedAt: AT, from, cause: 'instance-lost' };
}

/** A final whose words last 300 ms each. */
export function final(speaker: Speaker, startMs: number, text: string): NumberedContent & { type: 'transcript' } {
  const words = text.split(' ').map((word, at) => {
    const wordMs = startMs + at * 300;
    return { text: word, startMs: wordMs, endMs: wordMs + 300, confidence: 0.9 };
  });
  return {
    type: 'transcript',
    final: true,
    speechFinal: true,
    speaker,
    startMs,
    endMs: startMs + words.length * 300,
    text,
    confidence: 0.9,
    connection: 1,
    words,
    dropped: 0,
    deepgram: { type: 'Results', channel: { alternatives: [{ transcript: text }] } },
  };
}

export function gap(startMs: number, endMs: number): NumberedContent {
  return { type: 'gap', startMs, endMs, cause: 'missing', channels: ['CUSTOMER', 'AGENT'] };
}

export function ended(outcome: 'completed' | 'failed' = 'completed'): NumberedContent {
  return {
    type: 'session.ended',
    outcome,
    reason: 'silence',
    durationMs: 60_000,
    gapMs: 0,
    unfinishedMs: 0,
    finals: 2,
  };
}
