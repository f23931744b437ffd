import test from 'ava';
import fc from 'fast-check';
import { BadHttp, framingOf } from '../../../daemon/kinesis/http/http-body.ts';
import { chunkSizes, cut } from '../../fuzz/chunks.ts';
import { chunk, chunked, plainly, trailer, unframed } from './framed.ts';

const CHUNKED = { 'transfer-encoding': 'chunked' };

test('whatever the chunks, their extensions, the trailer and the cuts, the content comes out once and in order', (t) => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), trailer, chunkSizes, (chunks, fields, sizes) => {
      const { content, framing } = unframed(cut(chunked(chunks, fields), sizes), CHUNKED);
      t.deepEqual(content, Buffer.concat(chunks.map((one) => one.content)));
      t.true(framing.isWhole);
    }),
    { numRuns: 500 },
  );
});

test('a chunked body is whole with its last byte and not before', (t) => {
  const bytes = chunked(plainly('one', 'two'), 'a: b\r\n');
  const framing = framingOf(CHUNKED);
  for (const [i, byte] of bytes.entries()) {
    t.false(framing.isWhole, `before byte ${i}`);
    framing.unframe(Uint8Array.of(byte), new Uint8Array(1), 0);
  }
  t.true(framing.isWhole);
  t.false(framing.endsWithConnection);
});

test('what comes after the end of a body is nobody’s, in the same read or in one of its own', (t) => {
  const bodies: [Record<string, string>, Buffer][] = [
    [CHUNKED, chunked(plainly('content'))],
    [{ 'content-length': '7' }, Buffer.from('content')],
  ];
  for (const [headers, body] of bodies) {
    for (const pieces of [[Buffer.concat([body, Buffer.from('HTTP/1.1 400')])], [body, Buffer.from('7\r\n')]]) {
      const { content, framing } = unframed(pieces, headers);
      t.is(content.toString(), 'content');
      t.true(framing.isWhole);
    }
  }
});

test('a body of known length is whole once that many bytes have come', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), chunkSizes, (bytes, sizes) => {
      const headers = { 'content-length': String(bytes.length) };
      const { content, framing } = unframed(cut(bytes, sizes), headers);
      t.deepEqual(content, Buffer.from(bytes));
      t.true(framing.isWhole);
      if (bytes.length > 0) t.false(unframed(cut(bytes.subarray(1), sizes), headers).framing.isWhole);
    }),
  );
});

test('a body that nothing is said about goes on until the connection ends', (t) => {
  const { content, framing } = unframed([Buffer.from('a'), Buffer.from('b')], {});
  t.is(content.toString(), 'ab');
  t.false(framing.isWhole);
  t.true(framing.endsWithConnection);
});

test('of two announcements the chunks count', (t) => {
  const headers = { ...CHUNKED, 'content-length': '3' };
  t.is(unframed([chunked(plainly('content'))], headers).content.toString(), 'content');
});

for (const [what, headers] of Object.entries<Record<string, string>>({
  'a coding that is not known': { 'transfer-encoding': 'gzip, chunked' },
  'a length that is no number': { 'content-length': '0x10' },
  'a length below 0': { 'content-length': '-1' },
  'two lengths': { 'content-length': '5, 5' },
  'a length beyond all numbers': { 'content-length': '9'.repeat(16) },
  'no length': { 'content-length': '' },
})) {
  test(`a head that announces ${what} is refused`, (t) => {
    t.throws(() => framingOf(headers), { instanceOf: BadHttp });
  });
}

for (const [what, body] of Object.entries({
  'no size': '\r\n',
  'a size that is not hex': 'g\r\n',
  'a size that ends as no number': '5g\r\nhello\r\n',
  'a size below 0': '-1\r\n',
  'a size of too many digits': '000000005\r\nhello\r\n',
  'a size without its CR': '5\nhello\r\n',
  'a size without its LF': '5\rhello\r\n',
  'an extension without its CR': '5;a\nhello\r\n',
  'an extension without its LF': '5;a\rb\r\nhello\r\n',
  'an extension without an end': `5;${'x'.repeat(8192)}`,
  'more content than its size': '5\r\nhello!\r\n',
  'content without its CR': '5\r\nhello\n5\r\n',
  'content without its LF': '5\r\nhello\r\r\r\r',
  'a trailer without its CR': '0\r\n\n',
  'a trailer without its LF': '0\r\n\ra',
  'a trailer without an end': `0\r\n${'a: b\r\n'.repeat(2049)}`,
})) {
  test(`a chunked body with ${what} is no HTTP, wherever it is cut`, (t) => {
    const bytes = Buffer.from(body);
    for (const size of [1, 2, 3, 7, bytes.length]) {
      t.throws(() => unframed(cut(bytes, [size]), CHUNKED), { instanceOf: BadHttp }, `pieces of ${size}`);
    }
  });
}

test('a whole extension and a whole trailer of the longest kind are taken', (t) => {
  const long = plainly('content').map((one) => ({ ...one, extension: `;${'x'.repeat(8191)}` }));
  const { content, framing } = unframed([chunked(long, `a:${'b'.repeat(8190)}\r\n`)], CHUNKED);
  t.is(content.toString(), 'content');
  t.true(framing.isWhole);
});

test('hostile bytes are refused or unframed, the same way however they are cut, and never into more than there were', (t) => {
  const digits = fc.constantFrom(...Buffer.from('0123aF;\r\n\r\n x'));
  const noise = fc.array(fc.oneof({ weight: 6, arbitrary: digits }, fc.nat(255)), { maxLength: 200 });
  const outcome = (pieces: Iterable<Uint8Array>) => {
    try {
      const { content, framing } = unframed(pieces, CHUNKED);
      return { content: content.toString('hex'), isWhole: framing.isWhole };
    } catch (error) {
      if (!(error instanceof BadHttp)) throw error;
      return { refused: error.message };
    }
  };
  fc.assert(
    fc.property(noise, chunkSizes, (numbers, sizes) => {
      const bytes = Uint8Array.from(numbers);
      t.deepEqual(outcome(cut(bytes, sizes)), outcome([bytes]));
    }),
    { numRuns: 2000 },
  );
});
