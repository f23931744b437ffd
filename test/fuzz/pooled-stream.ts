import fc from 'fast-check';
import { AGENT_TRACK, CUSTOMER_TRACK, fragment } from '../kinesis/stream.ts';
import { FIRST_NUMBER } from './calls.ts';

interface PooledFragment {
  readonly tag: 'before' | 'after' | 'missing';
  readonly size: 'known' | 'unknown' | 'unknown-short';
  readonly blockBytes: readonly number[];
}

/** Consecutive calls on one stream. */
export interface Calls {
  readonly contacts: readonly { readonly isUntagged: boolean; readonly fragments: readonly PooledFragment[] }[];
  /** Index of our contact; wraps around. */
  readonly ours: number;
  /** How many fragments of the contacts before ours come after Connect's StartFragmentNumber. */
  readonly early: number;
}

const pooledFragment: fc.Arbitrary<PooledFragment> = fc.record({
  tag: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('before' as const, 'after' as const) },
    { weight: 1, arbitrary: fc.constant('missing' as const) },
  ),
  size: fc.constantFrom('known' as const, 'unknown' as const, 'unknown-short' as const),
  blockBytes: fc.array(fc.constantFrom(8, 64, 1024), { maxLength: 4 }),
});
const contact = fc.record({
  isUntagged: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
  fragments: fc.array(pooledFragment, { minLength: 1, maxLength: 6 }),
});

export const calls: fc.Arbitrary<Calls> = fc.record({
  contacts: fc.array(contact, { minLength: 2, maxLength: 4 }),
  ours: fc.nat({ max: 3 }),
  early: fc.nat({ max: 4 }),
});

const FRAGMENT_MS = 500;
const BLOCK_MS = 64;

/** A stream with one call after the other; every sample of a block identifies the contact and the block. */
export class PooledStream {
  readonly contactId: string;
  /** Connect's StartFragmentNumber: the reading starts after it. */
  readonly start: { readonly fragmentNumber: string };
  /** Names of the blocks to be forwarded, in order: those of all fragments tagged as ours. */
  readonly expected: string[] = [];
  readonly #fragments: { readonly number: bigint; readonly bytes: Buffer }[] = [];
  readonly #names = new Map<string, string>();

  constructor({ contacts, ours, early }: Calls) {
    const our = ours % contacts.length;
    let before = 0;
    for (const [nth, { isUntagged, fragments }] of contacts.entries()) {
      if (nth === our) before = this.#fragments.length;
      for (const one of fragments) {
        const contactId = isUntagged || one.tag === 'missing' ? '' : idOf(nth);
        const names = this.#append(nth, contactId, one);
        if (nth === our && contactId) this.expected.push(...names);
      }
    }
    this.contactId = idOf(our);
    this.start = { fragmentNumber: String(FIRST_NUMBER + BigInt(Math.max(0, before - early))) };
  }

  /** The fragments after the given one, as the service sends them. */
  after(fragmentNumber: string): Buffer[] {
    return this.#fragments.filter(({ number }) => number > BigInt(fragmentNumber)).map(({ bytes }) => bytes);
  }

  /** `2:17` is block 17 of the stream, of contact 2; `noise` is not a block of the stream. */
  nameOf(pcm: Uint8Array): string {
    return this.#names.get(Buffer.from(pcm).toString('latin1')) ?? 'noise';
  }

  /** Appends a fragment and returns the names of its blocks. */
  #append(nth: number, contactId: string, { tag, size, blockBytes }: PooledFragment): string[] {
    const names = blockBytes.map((_, i) => `${nth}:${this.#names.size + i}`);
    const blocks = blockBytes.map((bytes, i) => {
      const name = names[i] as string;
      const pcm = Buffer.alloc(bytes, name.padEnd(8));
      this.#names.set(pcm.toString('latin1'), name);
      return { track: i % 2 === 0 ? CUSTOMER_TRACK : AGENT_TRACK, offsetMs: BLOCK_MS * i, pcm };
    });
    const number = FIRST_NUMBER + BigInt(this.#fragments.length + 1);
    const timecodeMs = FRAGMENT_MS * this.#fragments.length;
    const tagAt = tag === 'after' ? 'after' : 'before';
    const bytes = fragment({ number: String(number), contactId, tagAt, size, timecodeMs, blocks });
    this.#fragments.push({ number, bytes });
    return names;
  }
}

/** Ids with a common beginning: a part of one must not be mistaken for all of it. */
function idOf(nth: number): string {
  return `contact${'-1'.repeat(nth)}`;
}
