import { createHandler, type LambdaContext } from '../../trigger/handler.ts';
import type { LambdaResult } from '../../trigger/result.ts';
import type { Environment } from '../../trigger/settings.ts';
import { FastForwardClock } from '../support/fast-forward-clock.ts';

export const CONTACT_ID = '11112222-3333-4444-5555-aaaabbbbcccc';
export const STREAM_ARN = 'arn:aws:kinesisvideo:eu-central-1:123456789012:stream/connect-contact-1/1700000000000';
export const FRAGMENT = '91343852333181432392682062622220590765191907586';

/** A contact flow's event (trigger/README.md, "What Lambda gets from the flow") for a contact with `attributes`. */
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

type Setup = { env?: Environment; clock?: FastForwardClock; context?: LambdaContext };

/** A clock at the current time of day, on which the trigger's delays pass at once. */
export function triggerClock(): FastForwardClock {
  return new FastForwardClock({ epochMs: Date.now() });
}

/** Invokes a new function, and returns its log as well; `tookMs` is virtual time. */
export async function invoke(event: unknown, { env = {}, clock = triggerClock(), context }: Setup = {}) {
  const lines: string[] = [];
  const handler = createHandler({ env, clock, random: () => 0.5, writeLine: (line) => lines.push(line) });
  const startedMs = clock.now();
  const result: LambdaResult = await handler(event, context);
  return { result, lines, tookMs: clock.now() - startedMs, delaysMs: clock.sleeps };
}

/** Invokes the trigger for a contact with `attributes`, and the server at `domain`. */
export function invokeAt(domain: string, { attributes = {} as unknown, env = {}, ...setup }: AtSetup = {}) {
  return invoke(contactFlowEvent(attributes), { ...setup, env: { KVS_DG_INTEGRATOR_DOMAIN: domain, ...env } });
}

type AtSetup = Setup & { attributes?: unknown };
