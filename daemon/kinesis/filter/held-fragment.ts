import type { Fragment } from './fragment.ts';
import { WaitingBlocks } from './waiting-blocks.ts';

/**
 * A complete fragment without a ContactId that follows one of ours with the same SegmentUID. It is ours unless what
 * follows says otherwise (daemon/kinesis/README.md, "Fragments without a ContactId").
 */
export class HeldFragment {
  isEmpty = true;
  number: string | undefined;
  producerEpochMs: number | undefined;
  segmentUid: string | undefined;
  blocks = new WaitingBlocks();

  /** Takes the fragment's audio over from it. */
  hold(fragment: Fragment): void {
    this.isEmpty = false;
    this.number = fragment.number;
    this.producerEpochMs = fragment.producerEpochMs;
    this.segmentUid = fragment.segmentUid;
    [this.blocks, fragment.waiting] = [fragment.waiting, this.blocks];
    fragment.waiting.clear();
  }

  clear(): void {
    this.isEmpty = true;
    this.blocks.clear();
  }
}
