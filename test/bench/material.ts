/** Bytes of a load run's calls, for stages that need no network. */
import { BLOCKS_PER_FRAGMENT, blockChunk, contentOf } from '../load/fragments.ts';
import { contactIdOf } from '../load/identity.ts';
import { BLOCK_MS } from '../load/sound.ts';

export const FRAGMENT_MS = BLOCKS_PER_FRAGMENT * BLOCK_MS;
/** Arbitrary but fixed: every run has the same bytes. */
const BEGAN_AT_EPOCH_MS = 1_790_000_000_000;

/** The first fragments of a call's GetMedia body, in the chunks in which they arrive: one per block. */
export function mkvOf(call: number, fragments: number): Buffer[] {
  const speaker = {
    call,
    contactId: contactIdOf(call),
    beganAtEpochMs: BEGAN_AT_EPOCH_MS,
    tagPlace: 'before',
  } as const;
  return Array.from({ length: fragments * BLOCKS_PER_FRAGMENT }, (_, block) =>
    contentOf(blockChunk(speaker, block, 0)),
  );
}

/** Bytes of a GetMedia body per ms of call. */
export function mkvBytesPerMs(): number {
  return mkvOf(0, 1).reduce((sum, { length }) => sum + length, 0) / FRAGMENT_MS;
}
