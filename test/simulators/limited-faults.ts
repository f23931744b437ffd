/** Faults that each apply to a number of requests: the next `times`, or all with null. */
export class LimitedFaults<Fault extends { times: number | null }> {
  #faults: Fault[] = [];

  add(faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  replace(faults: readonly Fault[]): void {
    this.#faults = [...faults];
  }

  /** The first fault that matches, which is used once more. */
  take<Match extends Fault>(matches: (fault: Fault) => fault is Match): Match | undefined;
  take(matches?: (fault: Fault) => boolean): Fault | undefined;
  take(matches: (fault: Fault) => boolean = () => true): Fault | undefined {
    const fault = this.#faults.find(matches);
    if (!fault || fault.times === null) return fault;
    fault.times -= 1;
    if (fault.times === 0) this.#faults = this.#faults.filter((each) => each !== fault);
    return fault;
  }
}
