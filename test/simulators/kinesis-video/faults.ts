import { z } from 'zod';
import { AWS_ERRORS } from './aws-errors.ts';

const count = z.int().nonnegative();
/** Which request it is for: the next one of this API, on this stream when one is named. */
const anyApi = { api: z.enum(['GetMedia', 'GetDataEndpoint']).default('GetMedia'), stream: z.string().optional() };
const getMedia = { api: z.literal('GetMedia').default('GetMedia'), stream: z.string().optional() };

/** What goes wrong with one request: the answer itself, or, for a GetMedia, its body. */
const faultRule = z.union([
  z.strictObject({ ...anyApi, error: z.enum(Object.keys(AWS_ERRORS) as (keyof typeof AWS_ERRORS)[]) }),
  z.strictObject({ ...anyApi, status: z.int().min(400).max(599) }),
  /** No answer; from then on the stream's first so many fragments are gone. */
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

/** The faults that are still to come, one per request and in order. */
export class Faults {
  readonly #waiting: Fault[] = [];

  add(rules: readonly Fault[]): void {
    this.#waiting.push(...rules);
  }

  /** The fault of the request that is being answered now; none when no rule is left for it. */
  take(api: Fault['api'], streamName: string): Fault | undefined {
    const index = this.#waiting.findIndex((rule) => rule.api === api && (rule.stream ?? streamName) === streamName);
    return index === -1 ? undefined : this.#waiting.splice(index, 1)[0];
  }
}
