import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { Caller } from './caller.ts';
import { BLOCKS_PER_FRAGMENT } from './fragments.ts';
import { BLOCK_MS } from './sound.ts';

const FRAGMENTS = 2;
const PRODUCER_TIMESTAMP = /AWS_KINESISVIDEO_PRODUCER_TIMESTAMP[^\d]+(\d+\.\d{3})/g;

test('a call that is read late is on its stream from when it began', async (t) => {
  const caller = new Caller(7, 'before');
  for (let block = 0; block < FRAGMENTS * BLOCKS_PER_FRAGMENT; block++) caller.say();
  const beganAtEpochMs = await caller.began;
  const socket = new PassThrough();
  caller.serve(socket as unknown as Socket, 0);
  const stamps = [...String(socket.read()).matchAll(PRODUCER_TIMESTAMP)].map(([, seconds]) => Number(seconds) * 1000);
  const fragmentMs = BLOCKS_PER_FRAGMENT * BLOCK_MS;
  t.deepEqual(stamps.map(Math.round), [beganAtEpochMs, beganAtEpochMs + fragmentMs]);
});
