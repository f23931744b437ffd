import { orAborted } from '../../runtime/abort.ts';
import type { Clock, Millis } from '../../runtime/clock.ts';
import { describePutError, isAboutRecords } from './put-errors.ts';
import type { PutRecords, StreamRecord } from './put-records.ts';

/** Of PutRecords, as documented; half of its 10 MiB, so that base64 and JSON make no request that takes seconds. */
const MAX_RECORDS = 500;
const MAX_REQUEST_BYTES = 5 * 1024 * 1024;
/** Finals of many calls arrive within such a time; a reader polls a shard five times a second at most. */
const LINGER_MS: Millis = 20;
/** One that hangs must not stop the others; a thread of 1,000 calls writes 500 records a second. */
const MAX_IN_FLIGHT = 4;
const REQUEST_TIMEOUT_MS: Millis = 10_000;

/** How one attempt to write a record went. */
type WriteOutcome =
  | { readonly name: 'written' }
  /** `isFinal`: Kinesis does not accept this record. `error` has nothing of the record in it. */
  | { readonly name: 'refused'; readonly error: string; readonly isFinal: boolean };

interface Waiting {
  readonly record: StreamRecord;
  readonly settle: (outcome: WriteOutcome) => void;
}

interface RecordBatcherOptions {
  readonly put: PutRecords;
  readonly clock: Clock;
}

/** Writes the records of a thread's sessions in as few requests as possible. Does not retry. */
export class RecordBatcher {
  readonly #put: PutRecords;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #isLingering = false;
  #inFlight = 0;

  constructor({ put, clock }: RecordBatcherOptions) {
    this.#put = put;
    this.#clock = clock;
  }

  /** Never rejects. Two records whose order matters must not be in progress together. */
  write(record: StreamRecord): Promise<WriteOutcome> {
    const { promise, resolve: settle } = Promise.withResolvers<WriteOutcome>();
    this.#waiting.push({ record, settle });
    if (!this.#isLingering) {
      this.#isLingering = true;
      this.#clock.after(LINGER_MS, () => {
        this.#isLingering = false;
        this.#sendWaiting();
      });
    }
    return promise;
  }

  #sendWaiting(): void {
    while (this.#inFlight < MAX_IN_FLIGHT && this.#waiting.length > 0) {
      this.#inFlight += 1;
      void this.#send(this.#nextRequest()).finally(() => {
        this.#inFlight -= 1;
        this.#sendWaiting();
      });
    }
  }

  #nextRequest(): Waiting[] {
    let bytes = 0;
    const isOver = ({ record }: Waiting, at: number) => {
      bytes += record.data.length;
      return at >= MAX_RECORDS || (at > 0 && bytes > MAX_REQUEST_BYTES);
    };
    const end = this.#waiting.findIndex(isOver);
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #send(request: readonly Waiting[]): Promise<void> {
    const signal = this.#clock.timeout(REQUEST_TIMEOUT_MS);
    try {
      const records = request.map(({ record }) => record);
      // The SDK ignores the signal while it looks for credentials.
      const codes = await orAborted(this.#put(records, signal), signal);
      for (const [at, { settle }] of request.entries()) {
        const error = codes[at];
        settle(error === undefined ? { name: 'written' } : { name: 'refused', error, isFinal: false });
      }
    } catch (cause) {
      if (isAboutRecords(cause) && request.length > 1) return this.#sendApart(request);
      const error = describePutError(cause, signal.aborted ? REQUEST_TIMEOUT_MS : undefined);
      for (const { settle } of request) settle({ name: 'refused', error, isFinal: isAboutRecords(cause) });
    }
  }

  /** Kinesis refuses a whole request for one bad record, which must not hold up the other calls. */
  async #sendApart(request: readonly Waiting[]): Promise<void> {
    const middle = Math.ceil(request.length / 2);
    await this.#send(request.slice(0, middle));
    await this.#send(request.slice(middle));
  }
}
