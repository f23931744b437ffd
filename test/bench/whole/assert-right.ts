import type { HeardFigures } from '../../load/heard-call.ts';

/** Throws when something else arrived than was said, or not all of it where it is to be whole. */
export function assertRight({ call, wrongBlocks, surplusMs, holeMs }: HeardFigures, isToBeWhole: boolean): void {
  if (wrongBlocks > 0) throw new Error(`call ${call}: ${wrongBlocks} blocks arrived that are not those that were said`);
  if (!isToBeWhole) return;
  if (surplusMs > 0) throw new Error(`call ${call}: ${surplusMs} ms arrived beyond its end`);
  if (holeMs > 0) throw new Error(`call ${call}: ${holeMs} ms did not arrive`);
}
