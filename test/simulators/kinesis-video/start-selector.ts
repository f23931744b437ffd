import { z } from 'zod';
import type { Start } from './stream.ts';

const MS_PER_SECOND = 1000;
/** The SDK sends timestamps as seconds since 1970, with a fraction. */
const timestamp = z.number().nonnegative();
const fragmentNumber = z.string().regex(/^\d{1,128}$/);

const startSelector = z.discriminatedUnion('StartSelectorType', [
  z.object({ StartSelectorType: z.literal('NOW') }),
  z.object({ StartSelectorType: z.literal('EARLIEST') }),
  z.object({ StartSelectorType: z.literal('FRAGMENT_NUMBER'), AfterFragmentNumber: fragmentNumber }),
  z.object({ StartSelectorType: z.literal('CONTINUATION_TOKEN'), ContinuationToken: fragmentNumber }),
  z.object({ StartSelectorType: z.literal('PRODUCER_TIMESTAMP'), StartTimestamp: timestamp }),
  z.object({ StartSelectorType: z.literal('SERVER_TIMESTAMP'), StartTimestamp: timestamp }),
]);

/** GetMedia's input as the SDK sends it. */
export const getMediaInput = z.object({
  StreamName: z.string().optional(),
  StreamARN: z.string().optional(),
  StartSelector: startSelector,
});

/** GetDataEndpoint's input as the SDK sends it. */
export const getDataEndpointInput = z.object({
  StreamName: z.string().optional(),
  StreamARN: z.string().optional(),
  APIName: z.literal('GET_MEDIA'),
});

/** The stream position that AWS's selector describes. */
export function startOf(selector: z.infer<typeof startSelector>): Start {
  switch (selector.StartSelectorType) {
    case 'NOW':
      return { from: 'now' };
    case 'EARLIEST':
      return { from: 'earliest' };
    case 'FRAGMENT_NUMBER':
      return { after: BigInt(selector.AfterFragmentNumber) };
    case 'CONTINUATION_TOKEN':
      return { after: BigInt(selector.ContinuationToken) };
    case 'PRODUCER_TIMESTAMP':
      return { clock: 'producerMs', atMs: selector.StartTimestamp * MS_PER_SECOND };
    case 'SERVER_TIMESTAMP':
      return { clock: 'serverMs', atMs: selector.StartTimestamp * MS_PER_SECOND };
  }
}
