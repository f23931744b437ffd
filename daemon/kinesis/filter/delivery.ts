import type { Position } from '../contact.ts';
import type { Fragment } from './fragment.ts';

/** How far the contact has been delivered, over all connections; repeats are skipped. */
export class Delivery {
  /** The last fragment of the contact received completely. */
  position: Position | undefined;
  /** The fragment in which a connection ended, and how many of its blocks were delivered. */
  #partial: { readonly fragmentNumber: string; readonly blocks: number } | undefined;
  /** Whether the connection may still repeat what an earlier one delivered. */
  #isCatchingUp = true;

  constructor(position: Position | undefined) {
    this.position = position;
  }

  connectionEnded(): void {
    this.#isCatchingUp = true;
  }

  /** Call when a fragment's number is known: sets its `deliveredBlocks`. */
  begin(fragment: Fragment, fragmentNumber: string): void {
    if (this.#isComplete(fragmentNumber)) fragment.deliveredBlocks = Infinity;
    else if (this.#partial?.fragmentNumber === fragmentNumber) fragment.deliveredBlocks = this.#partial.blocks;
    this.#isCatchingUp &&= fragment.deliveredBlocks === Infinity;
  }

  /** Whether the fragment comes after everything delivered; false before the first delivery. */
  isBefore(fragmentNumber: string): boolean {
    const last = this.#partial ?? this.position;
    return last !== undefined && isAfter(fragmentNumber, last.fragmentNumber);
  }

  /** A fragment of the contact has been received completely; its token may follow later. */
  complete(fragmentNumber: string, producerEpochMs: number | undefined, continuationToken: string | undefined): void {
    const known = this.position?.fragmentNumber === fragmentNumber ? this.position.continuationToken : undefined;
    this.position = { fragmentNumber, continuationToken: continuationToken ?? known, producerEpochMs };
    this.#partial = undefined;
  }

  /** A fragment of the contact has ended, complete or not. */
  end({ number, blocks, deliveredBlocks }: Fragment): void {
    if (!number || deliveredBlocks === Infinity || number === this.position?.fragmentNumber) return;
    this.#partial = { fragmentNumber: number, blocks: Math.max(blocks, deliveredBlocks) };
  }

  /**
   * A new connection may begin with fragments already delivered. After those, only a repeat of the last one is skipped:
   * a number that corruption made too large must not silence the rest of the call.
   */
  #isComplete(fragmentNumber: string): boolean {
    if (!this.position) return false;
    if (!this.#isCatchingUp) return fragmentNumber === this.position.fragmentNumber;
    return !isAfter(fragmentNumber, this.position.fragmentNumber);
  }
}

/** Compares fragment numbers, which increase in order of ingestion: decimal, but too long for a number. */
function isAfter(fragmentNumber: string, other: string): boolean {
  if (fragmentNumber.length !== other.length) return fragmentNumber.length > other.length;
  return fragmentNumber > other;
}
