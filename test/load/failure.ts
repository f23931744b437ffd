/** The load run cannot continue; the message is a sentence for the user. */
export class LoadFailed extends Error {
  override readonly name = 'LoadFailed';
}
