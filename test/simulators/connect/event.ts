/** What differs between contacts. */
interface ContactFacts {
  readonly contactId: string;
  readonly streamArn: string;
  readonly startFragmentNumber: string;
  /** When media streaming started. */
  readonly startedAtMs: number;
  /** The contact's attributes, as set by the flow. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The contact that an agent transferred, and the first one of the call; undefined unless this is a transfer. */
  readonly transferredFrom?: { readonly contactId: string; readonly initialContactId: string } | undefined;
}

/** The Connect instance of all contacts; also a tag in its Kinesis streams. */
export const CONNECT_INSTANCE_ID = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
const INSTANCE_ARN = `arn:aws:connect:us-east-1:123456789012:instance/${CONNECT_INSTANCE_ID}`;
const QUEUE_ARN = `${INSTANCE_ARN}/queue/5f6e7d8c-9b0a-4c1d-a2e3-f4a5b6c7d8e9`;

/** The event with which a contact flow invokes a Lambda function, with all fields (daemon/kinesis/README.md). */
export function contactFlowEvent(contact: ContactFacts) {
  const { contactId, streamArn, startFragmentNumber, startedAtMs, attributes, transferredFrom } = contact;
  return {
    Name: 'ContactFlowEvent',
    Details: {
      ContactData: {
        Attributes: { ...attributes },
        Channel: 'VOICE',
        ContactId: contactId,
        CustomerEndpoint: { Address: '+15550100123', Type: 'TELEPHONE_NUMBER' },
        CustomerId: null,
        Description: null,
        InitialContactId: transferredFrom?.initialContactId ?? contactId,
        InitiationMethod: transferredFrom ? 'TRANSFER' : 'INBOUND',
        InstanceARN: INSTANCE_ARN,
        LanguageCode: 'en-US',
        MediaStreams: {
          Customer: {
            Audio: {
              StreamARN: streamArn,
              // Connect writes times as text: epoch milliseconds.
              StartTimestamp: String(startedAtMs),
              StopTimestamp: null,
              StartFragmentNumber: startFragmentNumber,
            },
          },
        },
        Name: null,
        PreviousContactId: transferredFrom?.contactId ?? contactId,
        Queue: { ARN: QUEUE_ARN, Name: 'BasicQueue' },
        References: {},
        RelatedContactId: null,
        SegmentAttributes: {},
        SystemEndpoint: { Address: '+15550100999', Type: 'TELEPHONE_NUMBER' },
      },
      Parameters: {} as Record<string, string>,
    },
  };
}
