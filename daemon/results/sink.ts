import type { ContactFacts } from '../contract/start-request.ts';
import type { Millis } from '../runtime/clock.ts';

/** Where events are delivered: the call's webhook, or the Kinesis data stream of all calls. */
export const SINK_NAMES = ['webhook', 'stream'] as const;
export type SinkName = (typeof SINK_NAMES)[number];

/** The session whose events a sink delivers: all that a sink needs to know, also after a restart. */
export interface SinkSession {
  readonly sessionId: string;
  readonly contactId: string;
  /** What the start request said about the contact. */
  readonly contact: ContactFacts | undefined;
  /** The flow's Deepgram `language`. */
  readonly language?: string | undefined;
  /** Where this call's events are posted; undefined without a webhook. */
  readonly webhook: string | undefined;
  /** What goes to the data stream: with `dg_callback` only `session.*` events and gaps. */
  readonly stream: 'all' | 'session-events' | 'none';
}

/** An event ready for delivery. Its JSON is made once: for the disk and for every sink. */
export interface BatchedEvent {
  /** Undefined for a hint. */
  readonly sequence: number | undefined;
  readonly type: string;
  /** The event (contract/events.ts) as UTF-8. A sink that needs its fields parses it. */
  readonly json: Buffer;
}

/** Consecutive events of one session and one epoch, in order; hints stand among the numbered ones. Never empty. */
export interface Batch {
  readonly session: SinkSession;
  readonly epoch: number;
  /** The same in every attempt, like the batch's events: a consumer can tell a repeat by it. */
  readonly id: string;
  readonly events: readonly BatchedEvent[];
}

/** The outcome of one attempt to deliver a batch. `error` is for people; it contains no word of the call. */
export type Delivery =
  | { readonly name: 'delivered' }
  /**
   * The same batch is tried again after a backoff, and not before `afterMs`, until RESULTS_GIVE_UP_MS. `isRefused`: the
   * destination answers, and may accept other batches.
   */
  | {
      readonly name: 'retry';
      readonly error: string;
      readonly afterMs?: Millis | undefined;
      readonly isRefused?: boolean;
    }
  /** Another attempt cannot succeed: the batch becomes a dead letter at once. */
  | { readonly name: 'given-up'; readonly error: string }
  /** The batch is split in two; a single event becomes a dead letter. */
  | { readonly name: 'too-large'; readonly error: string };

/**
 * Delivers the events of a thread's sessions to one kind of destination. The delivery loop (delivery.ts) has one batch
 * per session in flight, so a sink need not keep order across calls. It retries, backs off, gives up and counts; a sink
 * makes one attempt and says how it went.
 */
export interface Sink {
  readonly name: SinkName;
  /** What one batch may hold. */
  readonly limits: { readonly events: number; readonly bytes: number };
  /** True if the session's events of this type go here; others count as acknowledged. */
  takes(session: SinkSession, type: string, isHint: boolean): boolean;
  /** One attempt. Never rejects, and settles within its own time limit. */
  deliver(batch: Batch): Promise<Delivery>;
  /** Closes idle connections. */
  close(): void;
}
