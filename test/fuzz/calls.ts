import fc from 'fast-check';
import { AGENT_TRACK, CUSTOMER_TRACK, fragment } from '../kinesis/stream.ts';
import { errorChunk, SEGMENT_UID } from '../simulators/kinesis-video/mkv.ts';
import { CONTACT_ID, type Owner, payload } from './payload.ts';

/** Fragment numbers look like real ones: 47 digits (fixtures/captures). */
export const FIRST_NUMBER = 91_343_852_333_181_432_392_682_062_607_743_920_146_159_169_392n;
const OTHER_RUN = 'ee'.repeat(16);
/** A third track, such as video. */
const OTHER_TRACK = 9;

const owner: fc.Arbitrary<Owner> = fc.oneof(
  { weight: 5, arbitrary: fc.constant('ours' as const) },
  { weight: 3, arbitrary: fc.constant('another' as const) },
  { weight: 1, arbitrary: fc.constant('nobody' as const) },
);
/** Time between fragments: normal, or the jump of a clock that was set. */
const stepMs = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 500 }) },
  { weight: 1, arbitrary: fc.integer({ min: -90_000, max: 90_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-(2 ** 40), 2 ** 40, 599_000, 601_000) },
);
const block = fc.record({
  track: fc.constantFrom(CUSTOMER_TRACK, AGENT_TRACK, CUSTOMER_TRACK, AGENT_TRACK, OTHER_TRACK),
  offsetMs: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 500 }) },
    fc.integer({ min: -32_768, max: 32_767 }),
  ),
  bytes: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(8, 64, 1024) }, fc.integer({ min: 0, max: 3000 })),
});
const one = fc.record({
  owner,
  tagAt: fc.constantFrom('before' as const, 'after' as const, 'both' as const),
  /** Whether a fragment that is not ours belongs to another run of the producer. */
  isOtherRun: fc.boolean(),
  size: fc.constantFrom('known' as const, 'unknown' as const, 'unknown-short' as const),
  stepMs,
  blocks: fc.array(block, { maxLength: 8 }),
  failsWith: fc.option(fc.constantFrom(4000, 4000, 3000, 3002, 4502, 5000), { freq: 10 }),
});

/** What a pooled stream may send: fragments of our contact and of others, with the owner marked in each block. */
export const call: fc.Arbitrary<Buffer> = fc
  .record({ first: fc.integer({ min: 1, max: 40 }), fragments: fc.array(one, { minLength: 1, maxLength: 7 }) })
  .map(({ first, fragments }) => {
    let number = FIRST_NUMBER + BigInt(first);
    let timecodeMs = 100_000;
    let serial = 0;
    const parts: Buffer[] = [];
    for (const { owner, isOtherRun, tagAt, size, stepMs, blocks, failsWith } of fragments) {
      timecodeMs = Math.max(0, timecodeMs + stepMs);
      const marked = blocks.map(({ bytes, ...rest }) => ({ ...rest, pcm: payload(owner, serial++, bytes) }));
      const contactId = CONTACT_ID[owner];
      const segmentUid = isOtherRun && owner !== 'ours' ? OTHER_RUN : SEGMENT_UID;
      const facts = { number: String(number++), contactId, segmentUid, timecodeMs };
      parts.push(fragment({ ...facts, tagAt, size, blocks: marked }));
      if (failsWith !== null) parts.push(errorChunk(String(number), failsWith, 'an error of the service'));
    }
    return Buffer.concat(parts);
  });
