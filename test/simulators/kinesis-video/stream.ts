/** A stored fragment; one whose cluster is of unknown size grows while it is on the air. */
export interface Fragment {
  readonly number: bigint;
  /** Epoch milliseconds. */
  readonly serverMs: number;
  readonly producerMs: number;
  readonly durationMs: number;
  /** The bytes so far, shared by all who read them. */
  readonly parts: Buffer[];
  complete: boolean;
}

/** Where a GetMedia begins. Times are epoch milliseconds. */
export type Start =
  | { readonly from: 'now' | 'earliest' }
  | { readonly after: bigint }
  | { readonly clock: 'producerMs' | 'serverMs'; readonly atMs: number };

/** How long a stream keeps its fragments: for a time, or so many of them, or both; all of them when neither is set. */
export interface Retention {
  readonly retentionMs?: number | undefined;
  readonly retentionFragments?: number | undefined;
}

/** Fragment numbers look like real ones: 47 digits, in order, far apart. */
const FIRST_NUMBER = 91_343_852_333_181_432_392_682_062_607_743_920_146_159_169_392n;
const NUMBER_STEP = 4_961_120_628_392_261_985_746_094_464n;
/** Keeps two streams from having a number in common. */
const STREAM_STEP = 1_000_000_007n;
const ACCOUNT_ID = '123456789012';

let streamsMade = 0n;

/** A stream's stored fragments and those who wait for more of them. Positions count its fragments from 0 and stay. */
export class Stream {
  readonly name: string;
  readonly arn: string;
  retention: Retention = {};
  readonly #fragments: Fragment[] = [];
  readonly #readers = new Set<() => void>();
  #evicted = 0;
  /** The position before which all is gone, whatever the retention is. */
  #forgotten = 0;
  /** The numbers handed out as a call's StartFragmentNumber, with the position of the call's first fragment. */
  readonly #starts = new Map<bigint, number>();
  #lastNumber: bigint;

  constructor(name: string, region: string) {
    this.name = name;
    this.arn = `arn:aws:kinesisvideo:${region}:${ACCOUNT_ID}:stream/${name}/${Date.now()}`;
    this.#lastNumber = FIRST_NUMBER + STREAM_STEP * streamsMade++;
  }

  /** The number a call that begins now gives as its start: the call's first fragment is the next one after it. */
  startNumber(): bigint {
    const number = this.#nextNumber();
    this.#starts.set(number, this.#evicted + this.#fragments.length);
    return number;
  }

  /** Opens the next fragment; nobody sees it before its first part is there. */
  open(facts: Pick<Fragment, 'serverMs' | 'producerMs' | 'durationMs'>): Fragment {
    const fragment: Fragment = { ...facts, number: this.#nextNumber(), parts: [], complete: false };
    this.#fragments.push(fragment);
    this.#evict();
    return fragment;
  }

  /** Adds a part to an open fragment, and wakes those who wait for it. */
  extend(fragment: Fragment, part: Buffer, complete: boolean): void {
    fragment.parts.push(part);
    fragment.complete = complete;
    for (const wake of this.#readers) wake();
  }

  /** The position where `start` begins, or undefined when there is no such fragment, no longer or not at all. */
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

  /** The fragment at a position; undefined as long as it has not come, `gone` when it is beyond retention. */
  at(position: number): Fragment | 'gone' | undefined {
    this.#evict();
    if (position < this.#evicted) return 'gone';
    return this.#fragments[position - this.#evicted];
  }

  /** The first so many of all its fragments are gone, or will be as soon as they have come. */
  forget(fragments: number): void {
    this.#forgotten = Math.max(this.#forgotten, fragments);
  }

  /** Calls `wake` after every new part, until the returned function is called. */
  subscribe(wake: () => void): () => void {
    this.#readers.add(wake);
    return () => this.#readers.delete(wake);
  }

  #positionAfter(number: bigint): number | undefined {
    const start = this.#starts.get(number);
    if (start !== undefined) return start < this.#evicted ? undefined : start;
    const found = this.#fragments.findIndex((fragment) => fragment.number === number);
    return found === -1 ? undefined : this.#evicted + found + 1;
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
