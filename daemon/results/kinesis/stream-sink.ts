import type { NumberedEvent } from '../../contract/events.ts';
import type { Log } from '../../log/log.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Batch, Delivery, Sink, SinkSession } from '../sink.ts';
import { connectInstance } from './contact-lens.ts';
import type { StreamConnection } from './put-records.ts';
import { RecordBatcher } from './record-batcher.ts';
import { MAX_RECORD_BYTES, recordBytes } from './record-bytes.ts';

/** Far above a record's limit: an event that makes a larger record is reduced, not refused. */
const MAX_EVENT_BYTES = 16 * MAX_RECORD_BYTES;

type Connection = Pick<StreamConnection, 'put' | 'close'>;

interface StreamSinkOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Writes events to a Kinesis data stream in the schema of Contact Lens' real-time segment streams. PutRecords may
 * write the records of a request in any order and refuse some of them, so a session has one record in flight.
 */
export class StreamSink implements Sink {
  readonly name = 'stream';
  readonly limits = { events: 1, bytes: MAX_EVENT_BYTES };
  readonly #connection: Connection;
  readonly #batcher: RecordBatcher;
  readonly #log: Log;
  /** Sessions that were logged as lacking their Connect instance. */
  readonly #incomplete = new WeakSet<SinkSession>();

  constructor({ connection, clock, log }: StreamSinkOptions) {
    this.#connection = connection;
    this.#batcher = new RecordBatcher({ put: connection.put, clock });
    this.#log = log;
  }

  /** Hints are left out: consumers keep every Utterance as a piece of the transcript. */
  takes(session: SinkSession, type: string, isHint: boolean): boolean {
    if (isHint || session.stream === 'none') return false;
    if (session.stream === 'session-events' && type === 'transcript') return false;
    if (connectInstance(session.contact?.instanceArn) !== undefined) return true;
    this.#warnOnce(session);
    return false;
  }

  async deliver({ session, events }: Batch): Promise<Delivery> {
    const [event] = events;
    const instance = connectInstance(session.contact?.instanceArn);
    if (!event || !instance) return { name: 'given-up', error: 'the start request has no valid contact.instanceArn' };
    const numbered = JSON.parse(event.json.toString()) as NumberedEvent;
    const data = recordBytes(numbered, instance, session.language);
    if (!data) return { name: 'given-up', error: `the record would be larger than ${MAX_RECORD_BYTES} bytes` };
    const outcome = await this.#batcher.write({ partitionKey: session.contactId, data });
    if (outcome.name === 'written') return { name: 'delivered' };
    return { name: outcome.isFinal ? 'given-up' : 'retry', error: outcome.error };
  }

  close(): void {
    this.#connection.close();
  }

  #warnOnce(session: SinkSession): void {
    if (this.#incomplete.has(session)) return;
    this.#incomplete.add(session);
    const { contactId, sessionId } = session;
    this.#log.warn(
      { event: 'results.no-instance', contactId, sessionId },
      'nothing is written to the data stream: its records name a Connect instance, and the start request has no valid contact.instanceArn; update the trigger',
    );
  }
}
