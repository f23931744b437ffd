import type { EndOfContact } from '../kinesis/call-end.ts';

/** How a session ended: `completed` if Deepgram received the whole call. */
export type Outcome =
  | { readonly name: 'completed'; readonly reason: EndOfContact }
  | { readonly name: 'failed'; readonly error: unknown };

/** The stream had no audio with the contact's id. */
export class NoAudio extends Error {
  override readonly name = 'NoAudio';

  constructor() {
    super('The stream had no audio of this contact: is it the right stream, and did media streaming start?');
  }
}
