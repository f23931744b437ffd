import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { CallBook } from './call-book.ts';
import { finalOf } from './events.ts';
import { DemoFailed } from './failure.ts';
import { servePage } from './page-server.ts';

/** integratord is not running yet. */
const NO_SOCKET = '/nonexistent/control.sock';

/** A page server, and how often it was asked to play a call. */
async function page(t: ExecutionContext, can: () => boolean = () => true) {
  let played = 0;
  const book = new CallBook([], 1);
  let broken = 0;
  const { url, close } = await servePage({
    port: 0,
    book,
    controlSocket: NO_SOCKET,
    transcriber: 'X',
    isRealTime: true,
    expected: 0,
    playAgain: () => can() && ++played > 0,
    breakAll: () => can() && ++broken > 0,
  });
  t.teardown(close);
  return { url, book, played: () => played, broken: () => broken };
}

/** Unlike fetch, sends any Host and Origin. */
async function ask(method: string, url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const asked = request(url, { method, headers }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

test('requests with another Host are refused', async (t) => {
  const { url } = await page(t);
  t.is((await ask('GET', url, { host: 'attacker.example' })).statusCode, 421);
  t.is((await ask('GET', `${url}/events`, { host: '127.0.0.1.attacker.example' })).statusCode, 421);
  t.is((await ask('GET', url, { host: 'localhost' })).statusCode, 200);
  t.is((await ask('GET', url)).statusCode, 200);
});

test('only the page itself can play calls', async (t) => {
  const { url, played } = await page(t);
  t.is((await ask('POST', `${url}/calls`)).statusCode, 403);
  t.is((await ask('POST', `${url}/calls`, { origin: 'http://attacker.example' })).statusCode, 403);
  t.is((await ask('POST', `${url}/calls`, { origin: 'http://localhost' })).statusCode, 403);
  t.is((await ask('GET', `${url}/calls`, { origin: url })).statusCode, 404);
  t.is(played(), 0);
  t.is((await ask('POST', `${url}/calls`, { origin: url })).statusCode, 202);
  t.is(played(), 1);
});

test('only the page itself can break things, and learns when it cannot', async (t) => {
  const able = await page(t);
  t.is((await ask('POST', `${able.url}/breaks`, { origin: 'http://attacker.example' })).statusCode, 403);
  t.is(able.broken(), 0);
  t.is((await ask('POST', `${able.url}/breaks`, { origin: able.url })).statusCode, 202);
  t.is(able.broken(), 1);
  const { url } = await page(t, () => false);
  const response = await ask('POST', `${url}/breaks`, { origin: url });
  t.is(response.statusCode, 409);
  t.regex(await text(response), /Nothing can be broken now/);
});

test('when no call can be played, the page says so', async (t) => {
  const { url } = await page(t, () => false);
  const response = await ask('POST', `${url}/calls`, { origin: url });
  t.is(response.statusCode, 409);
  t.regex(await text(response), /wait for one to end/);
});

test('only its own files may run on the page', async (t) => {
  const { url } = await page(t);
  const { headers } = await ask('GET', url);
  t.regex(String(headers['content-security-policy']), /default-src 'none'; script-src 'self'; style-src 'self';/);
  t.is(headers['x-content-type-options'], 'nosniff');
  t.is((await ask('GET', `${url}/page.js`)).statusCode, 200);
  t.is((await ask('GET', `${url}/page/session-card.js`)).statusCode, 200);
  t.is((await ask('GET', `${url}/../main.ts`)).statusCode, 404);
});

test('a page that is opened late gets the current state, then changes', async (t) => {
  const { url, book } = await page(t);
  book.took(finalOf('early', 1, { speaker: 'agent', startMs: 0, text: 'Good morning' }));
  const response = await ask('GET', `${url}/events`);
  const received = response.setEncoding('utf8')[Symbol.asyncIterator]();
  let seen = '';
  while (!seen.includes('event: all')) seen += (await received.next()).value;
  t.regex(seen, /"contactId":"early".*"text":"Good morning"/);
  book.took(finalOf('late', 1, { speaker: 'customer', startMs: 0, text: 'Hello' }));
  while (!seen.includes('event: call')) seen += (await received.next()).value;
  t.regex(seen, /"contactId":"late".*"text":"Hello"/);
});

test('while integratord is not running, its own page says so', async (t) => {
  const { url } = await page(t);
  const response = await ask('GET', `${url}/instance/`);
  t.is(response.statusCode, 502);
  t.regex(await text(response), /does not respond on its control socket/);
  t.is((await ask('GET', `${url}/instance/v1/config`)).statusCode, 404);
});

test('a taken port is reported with its number', async (t) => {
  const { url, book } = await page(t);
  const port = Number(new URL(url).port);
  const again = servePage({
    port,
    book,
    controlSocket: NO_SOCKET,
    transcriber: 'X',
    isRealTime: true,
    expected: 0,
    playAgain: undefined,
    breakAll: undefined,
  });
  const error = await t.throwsAsync(again, { instanceOf: DemoFailed });
  t.regex(error?.message ?? '', new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is taken: .*--port`));
});
