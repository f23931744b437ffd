import test from 'ava';
import fc from 'fast-check';
import { Demuxer } from '../../daemon/matroska/demuxer.ts';
import { EBML_HEADER } from '../../daemon/matroska/element-ids.ts';
import { AGENT_TRACK, block, CUSTOMER_TRACK, fragment } from '../kinesis/stream.ts';
import { decodedByEbml, demuxed, recorder } from './oracle.ts';

const blocks = fc.array(
  fc.record({
    track: fc.constantFrom(CUSTOMER_TRACK, AGENT_TRACK, 7),
    offsetMs: fc.integer({ min: -32_768, max: 32_767 }),
    pcm: fc.uint8Array({ maxLength: 1500 }),
  }),
  { maxLength: 12 },
);
const fragments = (sizes: ('known' | 'unknown' | 'unknown-short')[]) =>
  fc.array(
    fc.record({
      number: fc.bigInt({ min: 1n, max: 10n ** 40n }).map(String),
      contactId: fc.stringMatching(/^[\w-]{0,36}$/),
      tagAt: fc.constantFrom('before' as const, 'after' as const),
      size: fc.constantFrom(...sizes),
      timecodeMs: fc.integer({ min: 0, max: 2 ** 45 }),
      blocks,
    }),
    { minLength: 1, maxLength: 5 },
  );
const chunkSizes = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 30 });

test('in random fragments and any chunks, the demuxer finds what ebml finds', (t) => {
  // ebml's Decoder does not support an unknown size of one byte, so that has its own test.
  fc.assert(
    fc.property(fragments(['known', 'unknown']), chunkSizes, (all, sizes) => {
      const bytes = Buffer.concat(all.map(fragment));
      t.deepEqual(demuxed(bytes, sizes), decodedByEbml(bytes));
    }),
    { numRuns: 300 },
  );
});

test('clusters of unknown size, in both encodings, have the same content as with a known size', (t) => {
  fc.assert(
    fc.property(fragments(['known']), chunkSizes, (all, sizes) => {
      const known = demuxed(Buffer.concat(all.map(fragment)), sizes);
      for (const size of ['unknown', 'unknown-short'] as const) {
        const open = Buffer.concat(all.map((one) => fragment({ ...one, size })));
        t.deepEqual(demuxed(open, sizes), known);
      }
    }),
    { numRuns: 200 },
  );
});

test('the end of a cluster is reported once, before anything that follows it', (t) => {
  for (const size of ['known', 'unknown', 'unknown-short'] as const) {
    const found: string[] = [];
    const events = { ...recorder(found), clusterEnd: () => found.push('whole') };
    const demuxer = new Demuxer(events as ReturnType<typeof recorder>);
    demuxer.push(fragment({ number: 1, size, blocks: [block(1), block(2)], tagAt: 'after' }));
    demuxer.push(fragment({ number: 2, size, blocks: [] }));
    const order = found
      .filter((line) => /^(block|whole|tag ContactId|fragment)/.test(line))
      .map((line) => line.split(' ')[0]);
    t.deepEqual(order, ['fragment', 'block', 'block', 'whole', 'tag', 'fragment', 'tag', 'whole'], size);
  }
});

test('after bytes that are not Matroska the next fragment is found, wherever chunks cut it', (t) => {
  const sound = fragment({ number: 2 });
  const expected = demuxed(sound, [sound.length]);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), chunkSizes, (noise, sizes) => {
      fc.pre(Buffer.from(noise).indexOf(EBML_HEADER) < 0);
      const found = demuxed(Buffer.concat([Uint8Array.of(0), noise, sound]), sizes);
      t.deepEqual(found, ['corrupt: an invalid element id', ...expected]);
    }),
    { numRuns: 300 },
  );
});

test('after any bytes the demuxer finishes and resumes at the next fragment', (t) => {
  const sound = fragment({ number: 3 });
  const expected = demuxed(sound, [sound.length]);
  // A corrupt size of an element that is read may swallow up to 256 KiB, so as much precedes the fragment that must be
  // found.
  const long = fragment({ number: 2, blocks: [{ track: 1, offsetMs: 0, pcm: new Uint8Array(200_000) }] });
  const swallowed = Buffer.concat([long, long, long]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 0, max: 255 }),
      fc.boolean(),
      chunkSizes,
      (at, byte, cut, sizes) => {
        const broken = Buffer.from(fragment({ number: 1, blocks: [block(1), block(2, 64), block(3, 128)] }));
        broken[at % broken.length] = byte;
        const first = cut ? broken.subarray(0, at) : broken;
        const found = demuxed(Buffer.concat([first, swallowed, sound]), sizes);
        t.deepEqual(found.slice(-expected.length), expected);
      },
    ),
    { numRuns: 500 },
  );
});
