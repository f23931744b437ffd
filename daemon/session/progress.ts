import type { Position } from '../kinesis/contact.ts';
import type { Millis } from '../runtime/clock.ts';

/** Which fragments of the contact are behind us, and up to where in the call each of them reaches. */
export class Progress {
  readonly #fragments: { readonly position: Position; readonly endMs: Millis }[] = [];
  #last: Position | { readonly fragmentNumber: string };

  constructor(start: Position | { readonly fragmentNumber: string }) {
    this.#last = start;
  }

  /** All of the contact up to `position` has been taken in, and its audio ends at `endMs` of the call at the latest. */
  note(position: Position | undefined, endMs: Millis): void {
    if (position && position !== this.#fragments.at(-1)?.position) this.#fragments.push({ position, endMs });
  }

  /** The fragment after which everything from `callMs` of the call on comes. */
  before(callMs: Millis): Position | { readonly fragmentNumber: string } {
    while ((this.#fragments[0]?.endMs ?? Infinity) <= callMs) {
      this.#last = this.#fragments.shift()?.position ?? this.#last;
    }
    return this.#last;
  }
}
