/** The demo cannot continue; the message is a sentence for the user. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}
