import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { GetMediaCommand, KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import test, { type ExecutionContext } from 'ava';
import { nextOf } from '../../../daemon/kinesis/http/media-body.ts';
import { type MediaPayload, MediaTransport } from '../../../daemon/kinesis/http/media-transport.ts';
import { BodyTooLarge } from '../../../daemon/runtime/bounded-body.ts';
import { systemClock } from '../../../daemon/runtime/clock.ts';
import { Egress } from '../../../daemon/runtime/egress.ts';
import { ExactTimers } from '../exact-timers.ts';
import { wholeOf } from './body.ts';
import { type Answer, serve } from './raw-server.ts';

const OK = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

/** Client and server share the event loop, so both get their turns. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await turnOfTheLoop();
}

async function serving(t: ExecutionContext, answer: Answer) {
  const { port, close } = await serve(answer);
  t.teardown(close);
  return port;
}

function ask(port: number, abortSignal?: AbortSignal) {
  const transport = new MediaTransport(new ExactTimers(systemClock), 5000);
  const request = { protocol: 'http:', hostname: '127.0.0.1', port, method: 'POST', path: '/getMedia' };
  return transport.handle({ ...request, headers: { host: 'x' }, body: '{}' }, abortSignal ? { abortSignal } : {});
}

async function media(port: number, signal?: AbortSignal) {
  const { response } = await ask(port, signal);
  return (response.body as MediaPayload).media;
}

test('the content of a response ends with its last chunk, though the connection stays open', async (t) => {
  const port = await serving(t, (socket) => socket.write(`${OK}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nmore`));
  t.is(String(await wholeOf(await media(port))), 'hello world');
});

test('an empty response is complete at once, though the connection stays open', async (t) => {
  const port = await serving(t, (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  t.is(String(await wholeOf(await media(port))), '');
});

test('a connection that ends or breaks before the last chunk is a fault', async (t) => {
  const ends: Answer[] = [(socket) => socket.end(`${OK}5\r\nhello\r\n`), (socket) => socket.write(`${OK}zz\r\n`)];
  for (const end of ends) await t.throwsAsync(wholeOf(await media(await serving(t, end))));
});

test('a connection that is reset before the head is an error', async (t) => {
  const port = await serving(t, (socket) => socket.resetAndDestroy());
  await t.throwsAsync(ask(port), { code: 'ECONNRESET' });
});

test('an abort cancels the request before the response, and ends the body after it', async (t) => {
  const silent = new AbortController();
  const port = await serving(t, () => silent.abort());
  await t.throwsAsync(ask(port, silent.signal), { name: 'AbortError' });
  const later = new AbortController();
  const body = await media(await serving(t, (socket) => socket.write(OK)), later.signal);
  const next = nextOf(body);
  later.abort();
  t.is(await next, undefined);
  t.is(body.fault?.name, 'AbortError');
});

test('an abort ends the request for a tunnel that a proxy does not answer', async (t) => {
  const requested = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const proxyPort = await serving(t, (socket) => {
    socket.once('close', closed.resolve);
    requested.resolve();
  });
  const egress = new Egress({ url: `http://127.0.0.1:${proxyPort}`, noProxy: '' });
  const transport = new MediaTransport(new ExactTimers(systemClock), 5000, egress);
  const request = { protocol: 'https:', hostname: 'kinesis.test', method: 'POST', path: '/getMedia', headers: {} };
  const abort = new AbortController();
  const asked = transport.handle(request, { abortSignal: abort.signal });
  await requested.promise;
  abort.abort();
  await t.throwsAsync(asked, { name: 'AbortError' });
  await closed.promise;
  await t.throwsAsync(transport.handle(request, { abortSignal: abort.signal }), { name: 'AbortError' });
});

test('a closed body has no more bytes', async (t) => {
  const body = await media(await serving(t, (socket) => socket.write(OK)));
  const next = nextOf(body);
  body.close();
  t.is(await next, undefined);
  t.is(body.fault?.message, 'closed');
});

test('an error response in pieces is complete', async (t) => {
  const [one, other] = ['a'.repeat(300), 'b'.repeat(300)];
  const port = await serving(t, async (socket) => {
    socket.write(`HTTP/1.1 400 Bad\r\ncontent-length: 600\r\n\r\n${one}`);
    // The client reads in the same event loop: by then it has read the first piece.
    await turns(3);
    socket.write(other);
  });
  const { response } = await ask(port);
  const words: Buffer[] = [];
  for await (const part of response.body) words.push(part);
  t.is(Buffer.concat(words).toString(), one + other);
});

test('an error response with an endless body is rejected', async (t) => {
  const port = await serving(t, (socket) => socket.write(`HTTP/1.1 502 Bad\r\n\r\n${'x'.repeat(70_000)}`));
  await t.throwsAsync(ask(port), { instanceOf: BodyTooLarge });
});

test('an error response that breaks off is rejected with what broke it', async (t) => {
  const port = await serving(t, (socket) => socket.end('HTTP/1.1 502 Bad\r\ncontent-length: 10\r\n\r\nhalf'));
  await t.throwsAsync(ask(port), { message: 'the connection ended in the middle of the body' });
});

test('a body that is not read holds the server back, and arrives completely afterwards', async (t) => {
  const total = 32 * 1024 * 1024;
  const written = Promise.withResolvers<void>();
  let isWritten = false;
  const port = await serving(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
    socket.write(Buffer.alloc(total), () => {
      isWritten = true;
      written.resolve();
    });
  });
  const body = await media(port);
  // The kernel's buffers hold a few MiB; a client that read them would have all 32 by then.
  await turns(2000);
  t.false(isWritten);
  let length = 0;
  for (let bytes = await nextOf(body); bytes; bytes = await nextOf(body)) length += bytes.length;
  t.is(length, total);
  await written.promise;
});

test('the SDK turns error responses into its own exceptions', async (t) => {
  const words = '{"Message":"no such stream"}';
  const port = await serving(t, (socket) =>
    socket.end(
      `HTTP/1.1 404 Not Found\r\nx-amzn-ErrorType: ResourceNotFoundException\r\ncontent-length: ${words.length}\r\n\r\n${words}`,
    ),
  );
  const client = new KinesisVideoMediaClient({
    region: 'eu-west-2',
    maxAttempts: 1,
    endpoint: `http://127.0.0.1:${port}`,
    requestHandler: new MediaTransport(new ExactTimers(systemClock), 5000),
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const command = new GetMediaCommand({ StreamName: 's', StartSelector: { StartSelectorType: 'NOW' } });
  await t.throwsAsync(client.send(command), { name: 'ResourceNotFoundException' });
});
