import type { HeardFigures } from '../../load/heard-call.ts';

/** Throws if wrong audio arrived or, with `isToBeWhole`, if any is missing or surplus. */
export function assertRight({ call, wrongBlocks, surplusMs, gapMs }: HeardFigures, isToBeWhole: boolean): void {
  if (wrongBlocks > 0) throw new Error(`call ${call}: ${wrongBlocks} blocks arrived with wrong audio`);
  if (!isToBeWhole) return;
  if (surplusMs > 0) throw new Error(`call ${call}: ${surplusMs} ms arrived after its end`);
  if (gapMs > 0) throw new Error(`call ${call}: ${gapMs} ms did not arrive`);
}
