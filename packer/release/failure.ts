/** The release cannot be built; the message says why and what to do. */
export class ReleaseFailure extends Error {
  override readonly name = 'ReleaseFailure';
}
