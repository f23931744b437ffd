import { z } from 'zod';

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
export type RequestFault = Exclude<Fault, { record: string }>;

/** The faults that tests have asked for, each for a number of times. */
export class Faults {
  #rules: Fault[] = [];

  replace(rules: readonly Fault[]): void {
    this.#rules = [...rules];
  }

  /** The fault of this request. */
  takeForRequest(): RequestFault | undefined {
    const rule = this.#rules.find((each): each is RequestFault => !('record' in each));
    if (rule) this.#use(rule);
    return rule;
  }

  /** The error code of a record. */
  takeForRecord(partitionKey: string): string | undefined {
    const rule = this.#rules.find(
      (each) => 'record' in each && (each.partitionKey === undefined || each.partitionKey === partitionKey),
    );
    if (!(rule && 'record' in rule)) return undefined;
    this.#use(rule);
    return rule.record;
  }

  #use(rule: Fault): void {
    if (rule.times === null) return;
    rule.times -= 1;
    if (rule.times === 0) this.#rules = this.#rules.filter((each) => each !== rule);
  }
}
