import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import test from 'ava';
import { openSocket } from '../../daemon/deepgram/socket.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';

/** Alone in its file: it replaces this process's timers. */
test('a handshake takes as long as its signal allows, whatever time-outs the SDK has', async (t) => {
  const server = createServer();
  const upgraded = once(server, 'upgrade');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => {
    mock.timers.reset();
    server.close();
  });
  const allowed = new AbortController();
  const events = { onMessage: () => {}, onPong: () => {}, onTaken: () => {} };
  const opening = openSocket({ baseUrl, key: fixedSecret('one') }, {}, events, allowed.signal);
  const [, socket] = await upgraded;
  socket.on('error', () => {});
  let outcome: unknown = 'pending';
  opening.catch((error: unknown) => {
    outcome = error;
  });
  mock.timers.tick(60_000);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.is(outcome, 'pending');
  const reason = new Error('out of time');
  allowed.abort(reason);
  await t.throwsAsync(opening, { is: reason });
  socket.destroy();
});
