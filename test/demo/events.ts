import type { ResultsEvent } from '../../daemon/contract/events.ts';
import type { Phrase } from './transcript.ts';

const SESSION = '5f0c1e9a-8f0e-4b63-9d1c-2f6f1c8f7a10';
const AT = '2026-01-01T00:00:00.000Z';
/** How long words last that have no end. */
const LASTS_MS = 1000;

type Said = Omit<Phrase, 'endMs'> & { readonly endMs?: number };

/** A final with this number. */
export function finalOf(contactId: string, sequence: number, said: Said): ResultsEvent {
  const id = `${SESSION}_1_${sequence}`;
  return {
    ...heard(contactId, said),
    sequence,
    id,
    final: true,
    speechFinal: true,
    words: [],
    dropped: 0,
    deepgram: {},
  };
}

/** Words that a later final replaces. */
export function interimOf(contactId: string, said: Said): ResultsEvent {
  return { ...heard(contactId, said), final: false };
}

function heard(contactId: string, { speaker, startMs, endMs = startMs + LASTS_MS, text }: Said) {
  return {
    version: 1 as const,
    type: 'transcript' as const,
    contactId,
    sessionId: SESSION,
    epoch: 1,
    at: AT,
    speaker: speaker === 'customer' ? ('CUSTOMER' as const) : ('AGENT' as const),
    startMs,
    endMs,
    text,
    confidence: 0.99,
    connection: 1,
  };
}
