import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { decodedByEbml, demuxed } from './oracle.ts';

const captures = new URL('../fixtures/captures/', import.meta.url);
const capture = (file: string) => readFileSync(new URL(file, captures));
const files = readdirSync(captures).filter((file) => file.endsWith('.mkv'));

/** Every size up to the longest element header, then sizes that cut blocks and fragments in all ways. */
const CHUNK_SIZES = [...Array.from({ length: 64 }, (_, i) => i + 1), 127, 509, 1024, 4093, 16_384, 65_521, 262_144];

for (const file of files) {
  test(`${file}: in one chunk, the demuxer finds what ebml finds`, (t) => {
    const bytes = capture(file);
    const findings = demuxed(bytes, [bytes.length]);
    t.deepEqual(findings, decodedByEbml(bytes));
    t.true(findings.length > 3);
  });

  test(`${file}: in chunks of any size, it finds the same`, (t) => {
    const bytes = capture(file);
    const whole = demuxed(bytes, [bytes.length]);
    for (const size of CHUNK_SIZES) t.deepEqual(demuxed(bytes, [size]), whole, `chunks of ${size}`);
  });
}
