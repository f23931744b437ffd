/** The last fragment received completely; a later GetMedia can resume after it without loss. */
export interface Position {
  readonly fragmentNumber: string;
  readonly continuationToken: string | undefined;
  /** When the fragment began, on the producer's clock, in epoch milliseconds. */
  readonly producerEpochMs: number | undefined;
}

/** A call, as its stream identifies it. */
export interface Contact {
  readonly contactId: string;
  readonly streamArn: string;
  /** The audio begins after this fragment: Connect's StartFragmentNumber, or the position of an earlier reading. */
  readonly start: Position | { readonly fragmentNumber: string };
}
