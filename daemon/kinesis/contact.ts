/** Up to where a contact's audio has been had in whole: a later GetMedia goes on after this fragment without a loss. */
export interface Position {
  readonly fragmentNumber: string;
  readonly continuationToken: string | undefined;
  /** When the producer says that the fragment began, in epoch milliseconds. */
  readonly producerEpochMs: number | undefined;
}

/** A call as its stream knows it. */
export interface Contact {
  readonly contactId: string;
  readonly streamArn: string;
  /** The audio begins with the fragment after it: Connect's StartFragmentNumber, or where an earlier reading got to. */
  readonly start: Position | { readonly fragmentNumber: string };
}
