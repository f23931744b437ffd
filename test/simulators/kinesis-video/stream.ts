/** A stored fragment; with an unknown cluster size, it grows while it is being produced. */
export interface Fragment {
  readonly number: bigint;
  /** Epoch milliseconds. */
  readonly serverMs: number;
  readonly producerMs: number;
  readonly durationMs: number;
  /** Its bytes so far, shared by all readers. */
  readonly parts: Buffer[];
  complete: boolean;
}

/** Start of a GetMedia. Times are epoch milliseconds. */
export type Start =
  | { readonly from: 'now' | 'earliest' }
  | { readonly after: bigint }
  | { readonly clock: 'producerMs' | 'serverMs'; readonly atMs: number };

/** Retention by age, by number of fragments, or both; unlimited by default. */
export interface Retention {
  readonly retentionMs?: number | undefined;
  readonly retentionFragments?: number | undefined;
}

/** Fragment numbers look real: 47 digits, ascending, far apart. */
const FIRST_NUMBER = 91_343_852_333_181_432_392_682_062_607_743_920_146_159_169_392n;
const NUMBER_STEP = 4_961_120_628_392_261_985_746_094_464n;
/** Makes numbers unique across streams. */
const STREAM_STEP = 1_000_000_007n;
const ACCOUNT_ID = '123456789012';

let streamsMade = 0n;

/** A stream's fragments and the readers waiting for more. Positions are indices of fragments and never change. */
export class Stream {
  readonly name: string;
  readonly arn: string;
  retention: Retention = {};
  readonly #fragments: Fragment[] = [];
  readonly #readers = new Set<() => void>();
  readonly #firstRead = Promise.withResolvers<void>();
  #evicted = 0;
  /** Fragments before this position are gone, whatever the retention. */
  #forgotten = 0;
  /** StartFragmentNumbers, with the position of the call's first fragment. */
  readonly #starts = new Map<bigint, number>();
  #lastNumber: bigint;
  #reserved: bigint | undefined;
  readonly #isInclusive: boolean;

  /** @param isInclusive whether AfterFragmentNumber begins with that fragment: AWS says after it */
  constructor(name: string, region: string, isInclusive = false) {
    this.#isInclusive = isInclusive;
    this.name = name;
    this.arn = `arn:aws:kinesisvideo:${region}:${ACCOUNT_ID}:stream/${name}/${Date.now()}`;
    this.#lastNumber = FIRST_NUMBER + STREAM_STEP * streamsMade++;
  }

  /** The StartFragmentNumber of a call that starts now: its first fragment comes after this number. */
  startNumber(): bigint {
    const number = this.#nextNumber();
    this.#starts.set(number, this.#evicted + this.#fragments.length);
    return number;
  }

  /** The number that the next fragment will have: the other reading of a call's start. */
  firstNumber(): bigint {
    this.#reserved ??= this.#nextNumber();
    return this.#reserved;
  }

  /** Opens the next fragment; readers see it once its first part is there. */
  open(facts: Pick<Fragment, 'serverMs' | 'producerMs' | 'durationMs'>): Fragment {
    const number = this.#reserved ?? this.#nextNumber();
    this.#reserved = undefined;
    const fragment: Fragment = { ...facts, number, parts: [], complete: false };
    this.#fragments.push(fragment);
    this.#evict();
    return fragment;
  }

  /** Adds a part to an open fragment and wakes its readers. */
  extend(fragment: Fragment, part: Buffer, complete: boolean): void {
    fragment.parts.push(part);
    fragment.complete = complete;
    for (const wake of this.#readers) wake();
  }

  /** The position of `start`, or undefined if that fragment does not exist (any longer). */
  positionOf(start: Start): number | undefined {
    this.#evict();
    const end = this.#evicted + this.#fragments.length;
    if ('after' in start) return this.#positionAfter(start.after);
    if ('atMs' in start) {
      const found = this.#fragments.findIndex((fragment) => fragment[start.clock] + fragment.durationMs > start.atMs);
      return found === -1 ? end : this.#evicted + found;
    }
    return start.from === 'earliest' ? this.#evicted : Math.max(this.#evicted, end - 1);
  }

  /** The fragment at a position; undefined before it exists, `gone` beyond retention. */
  at(position: number): Fragment | 'gone' | undefined {
    this.#evict();
    if (position < this.#evicted) return 'gone';
    return this.#fragments[position - this.#evicted];
  }

  /** Loses the first `count` fragments, including future ones. */
  forget(fragments: number): void {
    this.#forgotten = Math.max(this.#forgotten, fragments);
  }

  /** Calls `wake` after every new part, until the returned function is called. */
  subscribe(wake: () => void): () => void {
    this.#readers.add(wake);
    this.#firstRead.resolve();
    return () => this.#readers.delete(wake);
  }

  /** Resolves when the stream has had a reader, or when the signal is aborted. */
  firstRead(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#firstRead.resolve(), { once: true });
    return this.#firstRead.promise;
  }

  #positionAfter(number: bigint): number | undefined {
    const start = this.#starts.get(number);
    if (start !== undefined) return start < this.#evicted ? undefined : start;
    const found = this.#fragments.findIndex((fragment) => fragment.number === number);
    return found === -1 ? undefined : this.#evicted + found + Number(!this.#isInclusive);
  }

  #nextNumber(): bigint {
    this.#lastNumber += NUMBER_STEP;
    return this.#lastNumber;
  }

  #evict(): void {
    const { retentionMs = Infinity, retentionFragments = Infinity } = this.retention;
    const oldestMs = Date.now() - retentionMs;
    const forgotten = Math.min(this.#forgotten - this.#evicted, this.#fragments.length);
    let gone = Math.max(0, forgotten, this.#fragments.length - retentionFragments);
    while (gone < this.#fragments.length && (this.#fragments[gone] as Fragment).serverMs < oldestMs) gone++;
    this.#fragments.splice(0, gone);
    this.#evicted += gone;
  }
}
