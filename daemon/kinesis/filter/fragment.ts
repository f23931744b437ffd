import { Span } from './span.ts';
import { TrackChannels } from './track-channels.ts';
import { WaitingBlocks } from './waiting-blocks.ts';

/** Who owns a fragment. Only `ours` is forwarded; `mixed`: it names two contacts; `withheld`: too much audio came before a ContactId. */
type Owner = 'unknown' | 'ours' | 'other' | 'mixed' | 'withheld';

/** The state of the current fragment: one object per call, reset when the next fragment begins. */
export class Fragment {
  owner: Owner = 'unknown';
  number: string | undefined;
  producerEpochMs: number | undefined;
  segmentUid: string | undefined;
  isClusterComplete = false;
  /** Whether the fragment's continuation token has arrived, which is its last tag: no other tag is missing. */
  isTagged = false;
  /** Whether a ContactId may have been damaged: such a fragment is never taken for ours without one. */
  isSuspect = false;
  clusters = 0;
  /** Bytes that could not be read, because something before them is corrupt. */
  corruptBytes = 0;
  /** Blocks of the contact's two tracks so far. */
  blocks = 0;
  /** Whether blocks of the customer, and of the agent, are among them. */
  readonly hasBlocksOf: [boolean, boolean] = [false, false];
  /** How many of its blocks this connection has released. */
  releasedBlocks = 0;
  /** How many of its blocks earlier connections have delivered; Infinity: all. */
  deliveredBlocks = 0;
  readonly channels = new TrackChannels();
  /** Blocks that wait for the ContactId. */
  waiting = new WaitingBlocks();
  /** Blocks that were neither released nor are waiting. */
  readonly lost = new Span();
  /** Blocks of tracks that are not Connect's. */
  readonly unnamed = new Span();

  reset(): void {
    this.owner = 'unknown';
    this.number = undefined;
    this.producerEpochMs = undefined;
    this.segmentUid = undefined;
    this.isClusterComplete = false;
    this.isTagged = false;
    this.isSuspect = false;
    this.clusters = 0;
    this.corruptBytes = 0;
    this.blocks = 0;
    this.hasBlocksOf.fill(false);
    this.releasedBlocks = 0;
    this.deliveredBlocks = 0;
    this.channels.clear();
    this.waiting.clear();
    this.lost.clear();
    this.unnamed.clear();
  }
}

/** The owner of a fragment after a ContactId tag: two contacts in a fragment withhold all of it that is left. */
export function ownerAfterContactId(owner: Owner, isOurs: boolean): Owner {
  if (owner === 'unknown') return isOurs ? 'ours' : 'other';
  if (owner === 'ours') return isOurs ? 'ours' : 'mixed';
  if (owner === 'withheld') return isOurs ? 'withheld' : 'other';
  return owner === 'other' && isOurs ? 'mixed' : owner;
}
