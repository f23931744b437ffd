import type { EndOfContact } from '../kinesis/reader.ts';

/** How a session ended: `completed` when the call was over and Deepgram had all of it. */
export type Outcome =
  | { readonly name: 'completed'; readonly reason: EndOfContact }
  | { readonly name: 'failed'; readonly error: unknown };

/** The stream gave nothing that carries the contact's id. */
export class NoAudio extends Error {
  override readonly name = 'NoAudio';

  constructor() {
    super('No audio of this contact came from its stream: is it this stream, and did media streaming start?');
  }
}
