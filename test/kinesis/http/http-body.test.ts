import test from 'ava';
import fc from 'fast-check';
import { BadHttp, framingOf } from '../../../daemon/kinesis/http/http-body.ts';
import { chunkSizes, cut } from '../../fuzz/chunks.ts';
import { chunk, chunked, plainly, trailer, unframed } from './framed.ts';

const CHUNKED = { 'transfer-encoding': 'chunked' };

test('with any chunks, extensions, trailer and cuts, the content comes out once and in order', (t) => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), trailer, chunkSizes, (chunks, fields, sizes) => {
      const { content, framing } = unframed(cut(chunked(chunks, fields), sizes), CHUNKED);
      t.deepEqual(content, Buffer.concat(chunks.map((one) => one.content)));
      t.true(framing.isComplete);
    }),
    { numRuns: 500 },
  );
});

test('a chunked body is complete with its last byte and not before', (t) => {
  const bytes = chunked(plainly('one', 'two'), 'a: b\r\n');
  const framing = framingOf(CHUNKED);
  for (const [i, byte] of bytes.entries()) {
    t.false(framing.isComplete, `before byte ${i}`);
    framing.unframe(Buffer.of(byte), 1, new Uint8Array(1), 0);
  }
  t.true(framing.isComplete);
  t.false(framing.endsWithConnection);
});

test('bytes after the end of a body are ignored, in the same read or in a later one', (t) => {
  const bodies: [Record<string, string>, Buffer][] = [
    [CHUNKED, chunked(plainly('content'))],
    [{ 'content-length': '7' }, Buffer.from('content')],
  ];
  for (const [headers, body] of bodies) {
    for (const pieces of [[Buffer.concat([body, Buffer.from('HTTP/1.1 400')])], [body, Buffer.from('7\r\n')]]) {
      const { content, framing } = unframed(pieces, headers);
      t.is(content.toString(), 'content');
      t.true(framing.isComplete);
    }
  }
});

test('a body of known length is complete after that many bytes', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), chunkSizes, (bytes, sizes) => {
      const headers = { 'content-length': String(bytes.length) };
      const { content, framing } = unframed(cut(bytes, sizes), headers);
      t.deepEqual(content, Buffer.from(bytes));
      t.true(framing.isComplete);
      if (bytes.length > 0) t.false(unframed(cut(bytes.subarray(1), sizes), headers).framing.isComplete);
    }),
  );
});

test('a body without announced length lasts until the connection ends', (t) => {
  const { content, framing } = unframed([Buffer.from('a'), Buffer.from('b')], {});
  t.is(content.toString(), 'ab');
  t.false(framing.isComplete);
  t.true(framing.endsWithConnection);
});

test('chunked encoding takes precedence over a content-length', (t) => {
  const headers = { ...CHUNKED, 'content-length': '3' };
  t.is(unframed([chunked(plainly('content'))], headers).content.toString(), 'content');
});

for (const [what, headers] of Object.entries<Record<string, string>>({
  'an unsupported encoding': { 'transfer-encoding': 'gzip, chunked' },
  'a length that is not a number': { 'content-length': '0x10' },
  'a negative length': { 'content-length': '-1' },
  'two lengths': { 'content-length': '5, 5' },
  'a length that is too large': { 'content-length': '9'.repeat(16) },
  'an empty length': { 'content-length': '' },
})) {
  test(`headers with ${what} are rejected`, (t) => {
    t.throws(() => framingOf(headers), { instanceOf: BadHttp });
  });
}

for (const [what, body] of Object.entries({
  'no size': '\r\n',
  'a size that is not hex': 'g\r\n',
  'a size followed by other characters': '5g\r\nhello\r\n',
  'a negative size': '-1\r\n',
  'a size with too many digits': '000000005\r\nhello\r\n',
  'a size without CR': '5\nhello\r\n',
  'a size without LF': '5\rhello\r\n',
  'an extension without CR': '5;a\nhello\r\n',
  'an extension without LF': '5;a\rb\r\nhello\r\n',
  'an endless extension': `5;${'x'.repeat(8192)}`,
  'more content than its size': '5\r\nhello!\r\n',
  'content without CR': '5\r\nhello\n5\r\n',
  'content without LF': '5\r\nhello\r\r\r\r',
  'a trailer without CR': '0\r\n\n',
  'a trailer without LF': '0\r\n\ra',
  'an endless trailer': `0\r\n${'a: b\r\n'.repeat(2049)}`,
})) {
  test(`a chunked body with ${what} is rejected, wherever it is cut`, (t) => {
    const bytes = Buffer.from(body);
    for (const size of [1, 2, 3, 7, bytes.length]) {
      t.throws(() => unframed(cut(bytes, [size]), CHUNKED), { instanceOf: BadHttp }, `pieces of ${size}`);
    }
  });
}

test('an extension and a trailer of the greatest length are accepted', (t) => {
  const long = plainly('content').map((one) => ({ ...one, extension: `;${'x'.repeat(8191)}` }));
  const { content, framing } = unframed([chunked(long, `a:${'b'.repeat(8190)}\r\n`)], CHUNKED);
  t.is(content.toString(), 'content');
  t.true(framing.isComplete);
});

test('hostile bytes are rejected or unframed, with the same result however they are cut, and never grow', (t) => {
  const digits = fc.constantFrom(...Buffer.from('0123aF;\r\n\r\n x'));
  const noise = fc.array(fc.oneof({ weight: 6, arbitrary: digits }, fc.nat(255)), { maxLength: 200 });
  const outcome = (pieces: Iterable<Uint8Array>) => {
    try {
      const { content, framing } = unframed(pieces, CHUNKED);
      return { content: content.toString('hex'), isComplete: framing.isComplete };
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
