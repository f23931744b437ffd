/**
 * Two readers of Contact Lens' segment streams, written from its documentation (Amazon Connect Administrator Guide,
 * "Data model for conversational analytics segment streams to analyze voice contacts") and not from our code.
 */
import { z } from 'zod';

const role = z.enum(['AGENT', 'CUSTOMER', 'SYSTEM', 'CUSTOM_BOT']);
const spoken = {
  Id: z.string().min(1).max(256),
  ParticipantId: z.string().min(1).max(256),
  ParticipantRole: role,
  BeginOffsetMillis: z.int().nonnegative(),
  EndOffsetMillis: z.int().nonnegative(),
};
const text = z.string().regex(/\S/);
/** A union of one: "a segment is one of", so a second property is an error. */
const segment = z.union([
  z.strictObject({
    Utterance: z.strictObject({ ...spoken, TranscriptId: z.string().min(1).max(256), PartialContent: text }),
  }),
  // AWS requires Sentiment. Ours is the one difference that README.md names.
  z.strictObject({ Transcript: z.strictObject({ ...spoken, Content: text }) }),
]);
const common = {
  Version: z.literal('1.0.0'),
  Channel: z.literal('VOICE'),
  AccountId: z.string().regex(/^\d{12}$/),
  InstanceId: z.string().min(1),
  ContactId: z.string().min(1),
  LanguageCode: z.string().min(1),
  /** Not part of the schema; a reader ignores it. */
  Integratord: z.looseObject({ type: z.string() }),
};
const record = z.discriminatedUnion('EventType', [
  z.strictObject({ ...common, EventType: z.literal('STARTED') }),
  z.strictObject({ ...common, EventType: z.literal('SEGMENTS'), Segments: z.array(segment) }),
  z.strictObject({ ...common, EventType: z.enum(['COMPLETED', 'FAILED']) }),
]);
type Record = z.infer<typeof record>;

interface HeardLine {
  readonly role: string;
  readonly text: string;
  readonly startMs: number;
}

/** Shows pieces as they come, and replaces them by their Transcript. */
export class ConcatenatingConsumer {
  readonly lines: HeardLine[] = [];
  /** Transcripts whose text is not that of their pieces. */
  readonly conflicts: string[] = [];
  readonly seen: string[] = [];
  readonly #pieces = new Map<string, string[]>();
  readonly #finished = new Set<string>();

  /** Pieces without their Transcript. */
  get unfinished(): number {
    return this.#pieces.size;
  }

  read(json: string): void {
    const parsed: Record = record.parse(JSON.parse(json));
    this.seen.push(parsed.EventType);
    if (parsed.EventType !== 'SEGMENTS') return;
    for (const each of parsed.Segments) {
      if ('Utterance' in each) this.#take(each.Utterance.TranscriptId, each.Utterance.PartialContent);
      else this.#finish(each.Transcript);
    }
  }

  #take(transcriptId: string, piece: string): void {
    if (this.#finished.has(transcriptId)) return;
    this.#pieces.set(transcriptId, [...(this.#pieces.get(transcriptId) ?? []), piece]);
  }

  #finish(transcript: { Id: string; ParticipantRole: string; Content: string; BeginOffsetMillis: number }): void {
    // Kinesis delivers at least once.
    if (this.#finished.has(transcript.Id)) return;
    this.#finished.add(transcript.Id);
    if (this.#pieces.get(transcript.Id)?.join(' ') !== transcript.Content) this.conflicts.push(transcript.Id);
    this.#pieces.delete(transcript.Id);
    const { ParticipantRole: role, Content: text, BeginOffsetMillis: startMs } = transcript;
    this.lines.push({ role, text, startMs });
  }
}

/** Reads Utterances only, as Salesforce's Service Cloud Voice does, and sends each to the agent's screen at once. */
export class UtteranceConsumer {
  readonly lines: HeardLine[] = [];
  readonly #shown = new Set<string>();

  read(json: string): void {
    const { EventType, Segments = [] } = JSON.parse(json) as { EventType: string; Segments?: object[] };
    if (EventType !== 'SEGMENTS') return;
    for (const each of Segments) {
      const { Utterance } = each as { Utterance?: { [Field: string]: unknown } };
      if (!Utterance || this.#shown.has(String(Utterance['Id']))) continue;
      this.#shown.add(String(Utterance['Id']));
      this.lines.push({
        role: String(Utterance['ParticipantRole']),
        text: String(Utterance['PartialContent']),
        startMs: Number(Utterance['BeginOffsetMillis']),
      });
    }
  }
}
