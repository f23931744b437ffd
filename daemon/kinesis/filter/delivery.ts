import type { Position } from '../contact.ts';
import type { Fragment } from './fragment.ts';

/** How far the contact has been delivered, over all connections; repeats are skipped. */
export class Delivery {
  /** The last fragment of the contact received completely. */
  position: Position | undefined;
  /** The fragment in which a connection ended, and how many of its blocks were delivered. */
  #partial: { readonly fragmentNumber: string; readonly blocks: number } | undefined;
  /** Whether the connection may still repeat what an earlier one delivered. */
  #isCatchingUp: boolean;
  /** The last complete fragment, if its number was lower than the position's. */
  #lower: string | undefined;

  constructor(position: Position | undefined) {
    this.position = position;
    this.#isCatchingUp = position !== undefined;
  }

  get isCatchingUp(): boolean {
    return this.#isCatchingUp;
  }

  /** Whether any audio of the contact was delivered, by this reading or an earlier one. */
  get hasBegun(): boolean {
    return this.position !== undefined || this.#partial !== undefined;
  }

  /** Changes with everything that is delivered for the first time. */
  get progress(): string {
    return `${this.position?.fragmentNumber} ${this.#partial?.fragmentNumber} ${this.#partial?.blocks}`;
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
  complete(
    { number, producerEpochMs, segmentUid }: Pick<Fragment, 'number' | 'producerEpochMs' | 'segmentUid'>,
    continuationToken: string | undefined,
  ): void {
    this.#partial = undefined;
    if (number === undefined || this.#isMisread(number)) return;
    const known = this.position?.fragmentNumber === number ? this.position.continuationToken : undefined;
    const token = continuationToken ?? known;
    this.position = { fragmentNumber: number, continuationToken: token, producerEpochMs, segmentUid };
  }

  /** A fragment has ended before all of it was delivered, or with its connection. */
  end({ number, blocks, deliveredBlocks }: Fragment): void {
    if (!number || deliveredBlocks === Infinity || number === this.position?.fragmentNumber) return;
    this.#partial = { fragmentNumber: number, blocks: Math.max(blocks, deliveredBlocks) };
  }

  /**
   * A single number that is lower than the position is corrupt: resuming after it would repeat audio. After a second one
   * it is the position that was corrupt.
   */
  #isMisread(fragmentNumber: string): boolean {
    const isLower = this.position !== undefined && isAfter(this.position.fragmentNumber, fragmentNumber);
    const isMisread = isLower && (this.#lower === undefined || this.#lower === fragmentNumber);
    this.#lower = isMisread ? fragmentNumber : undefined;
    return isMisread;
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
export function isAfter(fragmentNumber: string, other: string): boolean {
  if (fragmentNumber.length !== other.length) return fragmentNumber.length > other.length;
  return fragmentNumber > other;
}
