import fc from 'fast-check';
import { AGENT_TRACK, CUSTOMER_TRACK, fragment } from '../kinesis/stream.ts';
import { FIRST_NUMBER } from './calls.ts';

interface PooledFragment {
  readonly tag: 'before' | 'after' | 'missing';
  readonly size: 'known' | 'unknown' | 'unknown-short';
  readonly blockBytes: readonly number[];
}

/** Consecutive calls on one stream. */
interface Calls {
  readonly contacts: readonly {
    readonly isUntagged: boolean;
    /** Whether it follows on the SegmentUID of the contact before it, as after a transfer. */
    readonly isTransfer: boolean;
    readonly fragments: readonly PooledFragment[];
  }[];
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
  isTransfer: fc.boolean(),
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
  /** Names of the blocks to be forwarded, in order: those of all fragments that are ours by the rule. */
  readonly expected: readonly string[];
  readonly #fragments: { readonly number: bigint; readonly bytes: Buffer }[] = [];
  readonly #names = new Map<string, string>();

  constructor({ contacts, ours, early }: Calls) {
    const our = ours % contacts.length;
    let before = 0;
    let run = 0;
    const all: Appended[] = [];
    for (const [nth, { isUntagged, isTransfer, fragments }] of contacts.entries()) {
      if (nth === our) before = this.#fragments.length;
      // An untagged contact on the SegmentUID of ours could not be distinguished from ours.
      if (!isTransfer || isUntagged || contacts[nth - 1]?.isUntagged) run++;
      for (const [i, one] of fragments.entries()) {
        // The first two fragments of a transfer name their contact (daemon/kinesis/README.md).
        const isNamed = one.tag !== 'missing' || (isTransfer && i < 2);
        const contactId = isUntagged || !isNamed ? '' : idOf(nth);
        all.push({ contactId, run, names: this.#append(nth, run, contactId, one) });
      }
    }
    this.expected = expectedOf(all, idOf(our));
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
  #append(nth: number, run: number, contactId: string, { tag, size, blockBytes }: PooledFragment): string[] {
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
    const bytes = fragment({
      number: String(number),
      contactId,
      tagAt,
      size,
      timecodeMs,
      blocks,
      segmentUid: uidOf(run),
    });
    this.#fragments.push({ number, bytes });
    return names;
  }
}

interface Appended {
  readonly contactId: string;
  readonly run: number;
  readonly names: readonly string[];
}

/** The rule for fragments without a ContactId, implemented in another way (daemon/kinesis/README.md). */
function expectedOf(all: readonly Appended[], ours: string): string[] {
  const isOurs = (at: number): boolean => {
    const { contactId, run } = all[at] as Appended;
    if (contactId !== '') return contactId === ours;
    const [last, next] = [all[at - 1], all[at + 1]];
    if (last === undefined || last.run !== run || !isOurs(at - 1)) return false;
    return next === undefined || next.contactId === ours || (next.contactId === '' && next.run === run);
  };
  return all.flatMap(({ names }, at) => (isOurs(at) ? names : []));
}

function uidOf(run: number): string {
  return String(run).padStart(32, '0');
}

/** Ids with a common prefix: a part of an id must not match. */
function idOf(nth: number): string {
  return `contact${'-1'.repeat(nth)}`;
}
