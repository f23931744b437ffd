import { z } from 'zod';
import { type ReceivedEvent, receivedEvent } from './event.ts';

/** The only type of request that is kept; others are accepted and ignored, as integratord may add some. */
const TYPE = 'integratord.events';

const withEvents = z.object({
  type: z.literal(TYPE),
  data: z.object({ contactId: z.string(), sessionId: z.string(), events: z.array(z.unknown()) }),
});
const ofAnyType = z.object({ type: z.string() });

/** The body is not what integratord sends. */
export class BadBody extends Error {
  override readonly name = 'BadBody';
}

/** The contact whose events a request has; undefined if it is of another type. Throws BadBody. */
export function contactIdOf(body: Uint8Array): string | undefined {
  const json = parse(body);
  const type = ofAnyType.safeParse(json).data?.type;
  if (type !== undefined && type !== TYPE) return undefined;
  return dataOf(json).contactId;
}

/** The numbered events of a request. Throws BadBody. */
export function numberedEventsOf(body: Uint8Array): ReceivedEvent[] {
  return dataOf(parse(body)).events.flatMap((event) => receivedEvent(event) ?? []);
}

function dataOf(json: unknown): z.infer<typeof withEvents>['data'] {
  const { data: request, error } = withEvents.safeParse(json);
  if (!request) throw new BadBody(`the body has no events: ${z.prettifyError(error)}`);
  return request.data;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch (cause) {
    // The cause quotes the body.
    throw new BadBody(`the body is not JSON: ${(cause as Error).name}`);
  }
}
