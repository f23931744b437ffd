import { z } from 'zod';
import { LimitedFaults } from '../limited-faults.ts';

const times = z.int().positive().nullable().default(1);

/** A fault of the next `times` PutRecords requests, or of the next `times` matching records; null for all. */
const faultRule = z.union([
  /** The request is refused: nothing is written. */
  z.strictObject({ times, request: z.string(), status: z.int().min(400).max(599).default(400) }),
  /** Never answered: nothing is written. */
  z.strictObject({ times, hang: z.literal(true) }),
  /** Written, but the connection breaks before the response. */
  z.strictObject({ times, loseResponse: z.literal(true) }),
  /** Single records of a request that succeeds, of one partition key or of all. */
  z.strictObject({ times, record: z.string(), partitionKey: z.string().optional() }),
]);
export const faultRules = z.array(faultRule);
type Fault = z.infer<typeof faultRule>;
type RecordFault = Extract<Fault, { record: string }>;
export type RequestFault = Exclude<Fault, RecordFault>;

/** The faults that tests have asked for, each for a number of times. */
export class Faults {
  readonly #rules = new LimitedFaults<Fault>();

  replace(rules: readonly Fault[]): void {
    this.#rules.replace(rules);
  }

  /** The fault of this request. */
  takeForRequest(): RequestFault | undefined {
    return this.#rules.take((each): each is RequestFault => !('record' in each));
  }

  /** The error code of a record. */
  takeForRecord(partitionKey: string): string | undefined {
    const ofRecord = (each: Fault): each is RecordFault =>
      'record' in each && (each.partitionKey === undefined || each.partitionKey === partitionKey);
    return this.#rules.take(ofRecord)?.record;
  }
}
