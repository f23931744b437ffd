/** Why the demo cannot go on, in a sentence for whoever runs it. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}
