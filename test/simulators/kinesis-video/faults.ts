import { z } from 'zod';
import { AWS_ERRORS } from './aws-errors.ts';

const count = z.int().nonnegative();
/**
 * The request it applies to: the next one of this API, on this stream if one is named; with `forMs`, all of them for
 * that time.
 */
const forMs = z.number().positive().optional();
const anyApi = {
  forMs,
  api: z.enum(['GetMedia', 'GetDataEndpoint']).default('GetMedia'),
  stream: z.string().optional(),
};
const getMedia = { forMs, api: z.literal('GetMedia').default('GetMedia'), stream: z.string().optional() };

/** From then on, this many of the stream's first fragments are gone. */
const forgetFragments = count.default(0);

/** A fault of a response or, for GetMedia, of its body. */
const faultRule = z.union([
  z.strictObject({ ...anyApi, error: z.enum(Object.keys(AWS_ERRORS) as (keyof typeof AWS_ERRORS)[]) }),
  /** `html`: a proxy's response. */
  z.strictObject({ ...anyApi, status: z.int().min(400).max(599), html: z.boolean().default(false), forgetFragments }),
  /** No response. */
  z.strictObject({ ...anyApi, hang: z.literal(true), forgetFragments }),
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
  /** When the faults that last for a time are over: from their first request. */
  readonly #untilMs = new Map<Fault, number>();

  add(rules: readonly Fault[]): void {
    this.#waiting.push(...rules);
  }

  /** For the next request that it matches: its body ended, for another reason, before the fault was due. */
  putBack(fault: Fault): void {
    // One that lasts for a time is still here.
    if (fault.forMs === undefined) this.#waiting.unshift(fault);
  }

  /** Removes and returns the first fault that matches the request. */
  take(api: Fault['api'], streamName: string): Fault | undefined {
    const index = this.#waiting.findIndex((rule) => rule.api === api && (rule.stream ?? streamName) === streamName);
    const fault = this.#waiting[index];
    if (!fault) return undefined;
    const untilMs = this.#untilMs.get(fault) ?? Date.now() + (fault.forMs ?? 0);
    this.#untilMs.set(fault, untilMs);
    if (fault.forMs !== undefined && Date.now() < untilMs) return fault;
    this.#waiting.splice(index, 1);
    // One that lasts for a time is over now.
    return fault.forMs === undefined ? fault : this.take(api, streamName);
  }
}
