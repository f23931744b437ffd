/** Why a load run cannot go on, in a sentence for whoever runs it. */
export class LoadFailed extends Error {
  override readonly name = 'LoadFailed';
}
