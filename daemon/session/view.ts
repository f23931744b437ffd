import type { SessionView } from '../contract/control-api.ts';
import type { DeepgramParams } from '../contract/deepgram-params.ts';
import type { EndOfContact } from '../kinesis/reader.ts';

/** How a session ended: `completed` when the call was over and Deepgram had all of it. */
export type Outcome =
  | { readonly name: 'completed'; readonly reason: EndOfContact }
  | { readonly name: 'failed'; readonly error: unknown };

/** What a session's parameters tell of it in a list. */
export function describedBy(params: DeepgramParams): Pick<SessionView, 'model' | 'callbackHost'> {
  return {
    model: firstOf(params['model']),
    callbackHost: URL.parse(firstOf(params['callback']) ?? '')?.host,
  };
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
