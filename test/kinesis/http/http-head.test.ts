import test from 'ava';
import fc from 'fast-check';
import { BadHttp } from '../../../daemon/kinesis/http/http-body.ts';
import { HeadReader } from '../../../daemon/kinesis/http/http-head.ts';
import { chunkSizes, cut } from '../../fuzz/chunks.ts';
import { headOf } from './framed.ts';

const MAX_HEAD_BYTES = 16 * 1024;
const HEAD = 'HTTP/1.1 200 OK\r\nServer: kinesis\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\n\r\n';
const read = (text: string) => headOf([Buffer.from(text, 'latin1')], new HeadReader());

test('a head is read wherever it is cut, and the bytes after it are returned', (t) => {
  fc.assert(
    fc.property(chunkSizes, fc.uint8Array({ maxLength: 200 }), (sizes, after) => {
      const found = headOf(cut(Buffer.concat([Buffer.from(HEAD), after]), sizes), new HeadReader());
      t.deepEqual(found?.head, {
        statusCode: 200,
        headers: { server: 'kinesis', 'transfer-encoding': 'chunked', 'x-empty': '' },
      });
      t.deepEqual(found?.rest, Buffer.from(after));
    }),
  );
});

test('the bytes returned do not change when their buffer is overwritten', (t) => {
  const bytes = Buffer.from(`${HEAD}rest`);
  const found = new HeadReader().take(bytes);
  bytes.fill(0);
  t.is(Buffer.from(found?.rest ?? []).toString(), 'rest');
});

test('informational responses are skipped, wherever they are cut', (t) => {
  const bytes = Buffer.from(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${HEAD}`);
  for (let size = 1; size <= bytes.length; size++) {
    const found = headOf(cut(bytes, [size]), new HeadReader());
    t.is(found?.head.statusCode, 200);
    t.false('link' in (found?.head.headers ?? {}));
  }
});

test('a head is complete only with its last byte', (t) => {
  t.is(read(HEAD.slice(0, -1)), undefined);
  t.is(read('HTTP/1.1 100 Continue\r\n\r\n'), undefined);
});

test('the values of a repeated header are joined in order', (t) => {
  t.is(read('HTTP/1.1 200 OK\r\nVia: a\r\nvia:b\r\nVIA:  c \r\n\r\n')?.head.headers['via'], 'a, b, c');
});

test('a status line needs no reason phrase, and may be HTTP/1.0', (t) => {
  t.is(read('HTTP/1.1 400\r\n\r\n')?.head.statusCode, 400);
  t.is(read('HTTP/1.0 503 Service Unavailable\r\n\r\n')?.head.statusCode, 503);
});

test('headers named like properties of Object.prototype do no harm', (t) => {
  const headers = read('HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\ntoString: c\r\n\r\n')?.head.headers ?? {};
  t.is(Object.getPrototypeOf(headers), Object.prototype);
  t.is(({} as Record<string, unknown>)['a'], undefined);
  t.is(headers['constructor'], 'b');
  t.is(headers['tostring'], 'c');
  t.is(headers['transfer-encoding'], undefined);
});

for (const [what, text] of Object.entries({
  'an HTTP/2 status line': 'HTTP/2 200 OK\r\n\r\n',
  'a two-digit status': 'HTTP/1.1 20 OK\r\n\r\n',
  'a four-digit status': 'HTTP/1.1 2000 OK\r\n\r\n',
  'no status line': 'server: kinesis\r\n\r\n',
  'no content': '\r\n\r\n',
  'another protocol': 'SSH-2.0-OpenSSH\r\n\r\n',
  'a header without a colon': 'HTTP/1.1 200 OK\r\nserver\r\n\r\n',
  'a header without a name': 'HTTP/1.1 200 OK\r\n: kinesis\r\n\r\n',
})) {
  test(`a head with ${what} is rejected`, (t) => {
    t.throws(() => read(text), { instanceOf: BadHttp });
  });
}

test('a head that is too long is rejected, with or without its end and wherever it is cut', (t) => {
  const long = `HTTP/1.1 200 OK\r\na: ${'b'.repeat(MAX_HEAD_BYTES)}`;
  for (const text of [long, `${long}\r\n\r\n`]) {
    for (const size of [1000, text.length]) {
      t.throws(() => headOf(cut(Buffer.from(text), [size]), new HeadReader()), { instanceOf: BadHttp });
    }
  }
});

test('hostile bytes are a head, an incomplete one, or rejected', (t) => {
  const words = fc.constantFrom('HTTP/1.1 ', '200', '100', ' OK', '\r\n', '\r\n\r\n', ':', 'a: b', '\r', '\n', '\0');
  const noise = fc.array(fc.oneof({ weight: 5, arbitrary: words }, fc.string({ unit: 'binary', maxLength: 5 })));
  const outcome = (pieces: Iterable<Uint8Array>) => {
    try {
      return headOf(pieces, new HeadReader());
    } catch (error) {
      if (!(error instanceof BadHttp)) throw error;
      return error.message;
    }
  };
  fc.assert(
    fc.property(noise, chunkSizes, (parts, sizes) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      t.deepEqual(outcome(cut(bytes, sizes)), outcome([bytes]));
    }),
    { numRuns: 1000 },
  );
});
