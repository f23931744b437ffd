/** Count and sum of the values in each bucket; the last bucket is for values above all bounds. */
export type DistributionSnapshot = { readonly counts: readonly number[]; readonly sums: readonly number[] };

/** A histogram. Observing a value takes a few comparisons and two additions, and allocates nothing. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  /** @param bounds ascending upper bounds, inclusive as in Prometheus */
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
