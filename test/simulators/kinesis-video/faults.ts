import { z } from 'zod';
import { AWS_ERRORS } from './aws-errors.ts';

const count = z.int().nonnegative();
/** Affects the next request of this API, or the next one on this stream. */
const anyApi = { api: z.enum(['GetMedia', 'GetDataEndpoint']).default('GetMedia'), stream: z.string().optional() };
const getMedia = { api: z.literal('GetMedia').default('GetMedia'), stream: z.string().optional() };

/** A fault of a response or, for GetMedia, of its body. */
const faultRule = z.union([
  z.strictObject({ ...anyApi, error: z.enum(Object.keys(AWS_ERRORS) as (keyof typeof AWS_ERRORS)[]) }),
  z.strictObject({ ...anyApi, status: z.int().min(400).max(599) }),
  /** Never answers; from then on, the stream's first fragments are gone. */
  z.strictObject({ ...anyApi, hang: z.literal(true), forgetFragments: count.default(0) }),
  z.strictObject({ ...getMedia, endAfterFragments: count }),
  z.strictObject({ ...getMedia, resetAfterFragments: count }),
  z.strictObject({ ...getMedia, stallAfterFragments: count }),
  z.strictObject({ ...getMedia, errorAfterFragments: count, errorId: z.int(), errorCode: z.string() }),
  z.strictObject({ ...getMedia, resetAfterBytes: count }),
  z.strictObject({ ...getMedia, corruptAfterBytes: count, bytes: z.base64() }),
]);

export const faultRules = z.array(faultRule);
export type Fault = z.infer<typeof faultRule>;

/** Pending faults, one per request, in order. */
export class Faults {
  readonly #waiting: Fault[] = [];

  add(rules: readonly Fault[]): void {
    this.#waiting.push(...rules);
  }

  /** Removes and returns the first fault that matches the request. */
  take(api: Fault['api'], streamName: string): Fault | undefined {
    const index = this.#waiting.findIndex((rule) => rule.api === api && (rule.stream ?? streamName) === streamName);
    return index === -1 ? undefined : this.#waiting.splice(index, 1)[0];
  }
}
