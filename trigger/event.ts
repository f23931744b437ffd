import { isoTimestamp } from '../daemon/contract/iso-timestamp.ts';
import type { ContactFacts, StartRequest } from '../daemon/contract/start-request.ts';
import { TriggerFailure } from './failure.ts';
import { textAt, valueAt } from './json.ts';

const EVENT_NAME = 'ContactFlowEvent';

/** The contact id in an event of any shape; in a chain of transfers, that of the current contact. */
export function contactIdIn(event: unknown): string | undefined {
  return textAt(event, 'Details', 'ContactData', 'ContactId');
}

/** The contact id in a contact flow's event (daemon/kinesis/README.md). Throws a TriggerFailure for any other event. */
export function requireContactId(event: unknown): string {
  if (valueAt(event, 'Name') !== EVENT_NAME) {
    throw new TriggerFailure(
      'unexpected-event',
      `The event's Name is not ${EVENT_NAME}: invoke this function from an Amazon Connect contact flow.`,
    );
  }
  const contactId = contactIdIn(event);
  if (contactId !== undefined) return contactId;
  throw new TriggerFailure(
    'contact-id-missing',
    'The event has no Details.ContactData.ContactId: invoke this function from an Amazon Connect contact flow.',
  );
}

/** The contact's attributes, of any shape. */
export function attributesIn(event: unknown): unknown {
  return valueAt(event, 'Details', 'ContactData', 'Attributes');
}

/** What the event says about the contact and its transfers; undefined if it says nothing. No phone number. */
export function contactFactsIn(event: unknown): ContactFacts | undefined {
  const contact = valueAt(event, 'Details', 'ContactData');
  const facts: ContactFacts = {
    initialContactId: textAt(contact, 'InitialContactId'),
    previousContactId: textAt(contact, 'PreviousContactId'),
    instanceArn: textAt(contact, 'InstanceARN'),
    channel: textAt(contact, 'Channel'),
    initiationMethod: textAt(contact, 'InitiationMethod'),
    queueArn: textAt(contact, 'Queue', 'ARN'),
    queueName: textAt(contact, 'Queue', 'Name'),
  };
  return Object.values(facts).some((fact) => fact !== undefined) ? facts : undefined;
}

/**
 * When the stream was stopped, in ISO 8601; undefined while the contact is streamed. Connect names a stopped stream until
 * another one is started (DefinitelyTyped, connect-contact-flow.d.ts); whether it then clears the time is not known.
 */
export function stoppedAtIn(event: unknown): string | undefined {
  const audio = audioIn(event);
  const startedAt = isoTimestamp(valueAt(audio, 'StartTimestamp'));
  const stoppedAt = isoTimestamp(valueAt(audio, 'StopTimestamp'));
  return stoppedAt !== undefined && startedAt !== undefined && stoppedAt >= startedAt ? stoppedAt : undefined;
}

/** Where the contact's audio starts in Kinesis. Throws a TriggerFailure if the flow does not stream. */
export function kvsStreamIn(event: unknown): StartRequest['kvsStream'] {
  const audio = audioIn(event);
  const arn = textAt(audio, 'StreamARN');
  const startFragmentNumber = textAt(audio, 'StartFragmentNumber');
  if (arn !== undefined && startFragmentNumber !== undefined) {
    const startTimestamp = isoTimestamp(valueAt(audio, 'StartTimestamp'));
    return startTimestamp === undefined ? { arn, startFragmentNumber } : { arn, startFragmentNumber, startTimestamp };
  }
  throw new TriggerFailure(
    'media-streaming-missing',
    `The event has no MediaStreams.Customer.Audio.${arn === undefined ? 'StreamARN' : 'StartFragmentNumber'}: ` +
      'put a Start media streaming block before this function in the flow, ' +
      'and enable live media streaming for the Amazon Connect instance.',
  );
}

/** What Connect says of the customer's stream, of any shape. */
function audioIn(event: unknown): unknown {
  return valueAt(event, 'Details', 'ContactData', 'MediaStreams', 'Customer', 'Audio');
}
