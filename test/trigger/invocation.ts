import { systemClock } from '../../daemon/runtime/clock.ts';
import { createHandler, type LambdaContext } from '../../trigger/handler.ts';
import { PATIENCE, type Patience } from '../../trigger/patience.ts';
import type { LambdaResult } from '../../trigger/result.ts';
import type { Environment } from '../../trigger/settings.ts';

export const CONTACT_ID = '11112222-3333-4444-5555-aaaabbbbcccc';
export const STREAM_ARN = 'arn:aws:kinesisvideo:eu-central-1:123456789012:stream/connect-contact-1/1700000000000';
export const FRAGMENT = '91343852333181432392682062622220590765191907586';

/** What a contact flow must have by then, whatever the integrator does (trigger/README.md). */
export const FLOW_LIMIT_MS = 7000;

/** For what ends well: time enough for the slowest machine, next to no pauses. */
const AMPLE: Patience = { ...PATIENCE, budgetMs: 30_000, connectMs: 10_000, firstPauseMs: 10, longestPauseMs: 50 };

/** For what goes on until the time is up. */
export const SHORT: Patience = {
  ...AMPLE,
  budgetMs: 2500,
  connectMs: 1500,
  leastAttemptMs: 500,
  answerMarginMs: 100,
};

/** A contact flow's event, as daemon/kinesis/README.md shows it, of a contact with `attributes`. */
export function contactFlowEvent(attributes: unknown = {}) {
  return {
    Name: 'ContactFlowEvent',
    Details: {
      ContactData: {
        ContactId: CONTACT_ID,
        InitialContactId: '99992222-3333-4444-5555-aaaabbbbcccc',
        PreviousContactId: '88882222-3333-4444-5555-aaaabbbbcccc',
        InstanceARN: 'arn:aws:connect:eu-central-1:123456789012:instance/0000',
        Channel: 'VOICE',
        Attributes: attributes,
        CustomerEndpoint: { Address: '+4930123456', Type: 'TELEPHONE_NUMBER' },
        SystemEndpoint: null,
        Queue: null,
        MediaStreams: {
          Customer: {
            Audio: {
              StreamARN: STREAM_ARN,
              StartTimestamp: '1700000000000',
              StopTimestamp: null,
              StartFragmentNumber: FRAGMENT,
            },
          },
        },
      },
      Parameters: {},
    },
  };
}

export type Setup = { env?: Environment; patience?: Patience; epoch?: () => number; context?: LambdaContext };

/** Invokes the trigger as a function of its own, with its log. */
export async function invoke(event: unknown, { env = {}, patience = AMPLE, epoch = Date.now, context }: Setup = {}) {
  const lines: string[] = [];
  const handler = createHandler({
    env,
    patience,
    clock: { ...systemClock, epoch },
    random: () => 0.5,
    writeLine: (line) => lines.push(line),
  });
  const startedMs = performance.now();
  const result: LambdaResult = await handler(event, context);
  return { result, lines, tookMs: performance.now() - startedMs };
}

/** Invokes the trigger for a contact with `attributes` against the integrator at `domain`. */
export function invokeAt(domain: string, { attributes = {} as unknown, env = {}, ...setup }: AtSetup = {}) {
  return invoke(contactFlowEvent(attributes), { ...setup, env: { KVS_DG_INTEGRATOR_DOMAIN: domain, ...env } });
}

type AtSetup = Setup & { attributes?: unknown };
