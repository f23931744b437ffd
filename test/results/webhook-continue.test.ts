import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import test from 'ava';
import { discardContinue } from '../../daemon/results/webhook/continue-filter.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const FINAL = 'HTTP/1.1 204 No Content\r\n\r\n';

/** What a reader gets of a socket on which these pieces arrive one by one. */
async function readOf(pieces: readonly string[], isAwaited = () => true): Promise<string> {
  const socket = new Readable({ read: () => {} });
  discardContinue(socket as Socket, isAwaited);
  let text = '';
  socket.on('readable', () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) text += chunk;
  });
  for (const piece of pieces) {
    socket.push(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return text;
}

test('100 Continue is discarded, however it arrives', async (t) => {
  const headed = `HTTP/1.1 100 Go on\r\nserver: x\r\n\r\n${CONTINUE}`;
  for (const interim of ['', CONTINUE, headed]) {
    const text = interim + FINAL;
    for (let cut = 0; cut < text.length; cut++) t.is(await readOf([text.slice(0, cut), text.slice(cut)]), FINAL);
    t.is(await readOf([...text]), FINAL);
  }
});

test('other interim answers stay', async (t) => {
  const text = `HTTP/1.1 103 Early Hints\r\n\r\n${FINAL}`;
  t.is(await readOf([text]), text);
  t.is(await readOf([...text]), text);
});

test('of the body of an answer nothing is taken', async (t) => {
  t.is(await readOf([CONTINUE, 'H', 'T'], () => false), `${CONTINUE}HT`);
});

test('headers without an end are not kept', async (t) => {
  const endless = `HTTP/1.1 100 Continue\r\n${'x: y\r\n'.repeat(4000)}`;
  t.is(await readOf([endless]), endless);
});
