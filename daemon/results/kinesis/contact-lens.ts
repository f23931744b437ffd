import type { FinalTranscript, NumberedEvent, Speaker } from '../../contract/events.ts';

/** Connect's account and instance, which every record names. */
export interface ConnectInstance {
  readonly accountId: string;
  readonly instanceId: string;
}

/**
 * A record of Amazon Connect Contact Lens' real-time segment streams (Amazon Connect Administrator Guide, "Data model
 * for conversational analytics segment streams to analyze voice contacts"), with our event beside it.
 */
interface SegmentStreamRecord {
  readonly Version: '1.0.0';
  readonly Channel: 'VOICE';
  readonly AccountId: string;
  readonly InstanceId: string;
  readonly ContactId: string;
  readonly LanguageCode: string;
  readonly EventType: 'STARTED' | 'SEGMENTS' | 'COMPLETED' | 'FAILED';
  /** Only with SEGMENTS. */
  readonly Segments?: readonly Segment[];
  /** Our own event; consumers of Contact Lens ignore it. */
  readonly Integratord: object;
}

/** Exactly one property per segment. Contact Lens has Categories and PostContactSummary too; we send neither. */
type Segment = { readonly Utterance: Utterance } | { readonly Transcript: Transcript };

interface Spoken {
  readonly Id: string;
  readonly ParticipantId: Speaker;
  readonly ParticipantRole: Speaker;
  /** Whole milliseconds of the call. */
  readonly BeginOffsetMillis: number;
  readonly EndOffsetMillis: number;
}

/** A piece of its transcript. Consumers append pieces, so a piece is never revised: an interim cannot be one. */
interface Utterance extends Spoken {
  readonly TranscriptId: string;
  readonly PartialContent: string;
}

/** `Sentiment`, which AWS always sends, is left out: nothing here knows it. */
interface Transcript extends Spoken {
  readonly Content: string;
}

/** Contact Lens' codes name a region. Deepgram transcribes English where the flow names no language. */
const DEFAULT_LANGUAGE = 'en-US';

const INSTANCE_ARN = /^arn:aws[\w-]*:connect:[a-z0-9-]+:(?<accountId>\d{12}):instance\/(?<instanceId>[\w-]+)$/;

/** The instance that an ARN names; undefined if it is not the ARN of a Connect instance. */
export function connectInstance(instanceArn: string | undefined): ConnectInstance | undefined {
  const { accountId, instanceId } = INSTANCE_ARN.exec(instanceArn ?? '')?.groups ?? {};
  return accountId === undefined || instanceId === undefined ? undefined : { accountId, instanceId };
}

/** The record of an event in Contact Lens' schema. `language` is the session's, as `session.started` has it. */
export function segmentStreamRecord(
  event: NumberedEvent,
  { accountId, instanceId }: ConnectInstance,
  language: string | undefined,
): SegmentStreamRecord {
  const common = {
    Version: '1.0.0',
    Channel: 'VOICE',
    AccountId: accountId,
    InstanceId: instanceId,
    ContactId: event.contactId,
    LanguageCode: language ?? DEFAULT_LANGUAGE,
  } as const;
  switch (event.type) {
    case 'session.started':
      return { ...common, EventType: 'STARTED', Integratord: event };
    case 'session.ended':
      return { ...common, EventType: event.outcome === 'completed' ? 'COMPLETED' : 'FAILED', Integratord: event };
    case 'transcript':
      return { ...common, EventType: 'SEGMENTS', Segments: segmentsOf(event), Integratord: event };
    case 'gap':
    case 'session.resumed':
      return { ...common, EventType: 'SEGMENTS', Segments: [], Integratord: event };
  }
}

/** A final as the only piece of a transcript and as that transcript. AWS allows no segment without text. */
function segmentsOf(event: FinalTranscript & NumberedEvent): Segment[] {
  const { id, speaker, startMs, endMs, text } = event;
  if (text.trim() === '') return [];
  const spoken = {
    ParticipantId: speaker,
    ParticipantRole: speaker,
    BeginOffsetMillis: Math.round(startMs),
    EndOffsetMillis: Math.round(endMs),
  };
  return [
    { Utterance: { Id: `${id}_utterance`, TranscriptId: id, PartialContent: text, ...spoken } },
    { Transcript: { Id: id, Content: text, ...spoken } },
  ];
}
