import { once } from 'node:events';
import test from 'ava';
import { WebSocket } from 'ws';
import { Program } from '../support/process.ts';
import { ListenClient } from './deepgram/listen-client.ts';

/** In its own file because it depends on a process that is never busy for this long. */
const LONGEST_SILENCE_MS = 3000;
const KEEP_ALIVE_EVERY_MS = 100;

test('a connection without audio or KeepAlive is closed with NET-0001', async (t) => {
  const simulator = new Program('test/simulators/deepgram/main.ts', [
    '--rate',
    'off',
    '--net-0001-ms',
    String(LONGEST_SILENCE_MS),
  ]);
  t.teardown(() => simulator.stop());
  const url = await simulator.listening();
  const kept = await ListenClient.open(url);
  const keeping = setInterval(() => kept.say('KeepAlive'), KEEP_ALIVE_EVERY_MS);
  t.teardown(() => clearInterval(keeping));
  const silent = await ListenClient.open(url);
  t.deepEqual(await silent.closed, { code: 1011, reason: 'NET-0001' });
  kept.socket.ping();
  await Promise.race([once(kept.socket, 'pong'), kept.closed]);
  t.is(kept.socket.readyState, WebSocket.OPEN);
});
