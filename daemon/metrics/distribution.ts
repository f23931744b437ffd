/** How many values fell into each bucket, and what they add up to; the last bucket is for all that is above the bounds. */
export type DistributionSnapshot = { readonly counts: readonly number[]; readonly sums: readonly number[] };

/** Values sorted into buckets. To observe one takes a few comparisons and two additions, and allocates nothing. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  /** @param bounds ascending; a value that equals one falls below it, as in Prometheus */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
    this.#sums = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    (this.#sums[bucket] as number) += value;
  }

  snapshot(): DistributionSnapshot {
    return { counts: [...this.#counts], sums: [...this.#sums] };
  }
}
