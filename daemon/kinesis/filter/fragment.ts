import { TrackChannels } from './track-channels.ts';
import { WaitingBlocks } from './waiting-blocks.ts';

/** Who owns a fragment. Only `ours` is forwarded; `withheld`: too much audio came before a ContactId. */
export type Owner = 'unknown' | 'ours' | 'other' | 'withheld';

/** The state of the current fragment: one object per call, reset as a whole when the next fragment begins. */
export class Fragment {
  owner: Owner = 'unknown';
  number: string | undefined;
  producerEpochMs: number | undefined;
  isClusterComplete = false;
  /** Blocks of the contact's two tracks so far. */
  blocks = 0;
  /** How many of its blocks earlier connections have delivered; Infinity: all. */
  deliveredBlocks = 0;
  readonly channels = new TrackChannels();
  readonly waiting = new WaitingBlocks();

  reset(): void {
    this.owner = 'unknown';
    this.number = undefined;
    this.producerEpochMs = undefined;
    this.isClusterComplete = false;
    this.blocks = 0;
    this.deliveredBlocks = 0;
    this.channels.clear();
    this.waiting.clear();
  }
}

/** The owner of a fragment after a ContactId tag: a second contact in a fragment withholds the rest of it. */
export function ownerAfterContactId(owner: Owner, isOurs: boolean): Owner {
  if (!isOurs) return 'other';
  return owner === 'unknown' ? 'ours' : owner;
}
