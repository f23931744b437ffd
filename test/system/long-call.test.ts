import test from 'ava';
import { LAST_REQUESTS, playLongCall } from './long-call.ts';

// A small sample of `npm run prove:long-call`: the walls are 6 s of real time apart.
const SPEED = 20;
const WALL_MINUTES = 2;
const MINUTES = 9;
const WALLS = Math.floor(MINUTES / WALL_MINUTES);

test('a call across four walls, rotated before each of them: 0 ms lost, 0 ms repeated', async (t) => {
  const { requests, rotated, resumed, mostOpen, ...outcome } = await playLongCall({
    minutes: MINUTES,
    wallMinutes: WALL_MINUTES,
    rotateMinutes: (WALL_MINUTES * 5) / 6,
    speed: SPEED,
  });
  t.like(outcome, { outcome: 'completed', lostMs: 0, repeatedMs: 0, isWhole: true });
  // A busy machine may run into a wall before it rotates, or while it does.
  t.true(mostOpen === 2 || (mostOpen === 1 && resumed > 0), `${mostOpen} connections, ${resumed} resumptions`);
  t.true(rotated > 0 && rotated + resumed >= WALLS, `${rotated} rotations, ${resumed} resumptions`);
  t.true(requests <= rotated + resumed + 1 + LAST_REQUESTS, `${requests} requests`);
});

test('a call across four walls, running into each of them: 0 ms lost, 0 ms repeated', async (t) => {
  const { requests, resumed, ...outcome } = await playLongCall({
    minutes: MINUTES,
    wallMinutes: WALL_MINUTES,
    rotateMinutes: 2 * MINUTES,
    speed: SPEED,
  });
  t.deepEqual(outcome, { outcome: 'completed', lostMs: 0, repeatedMs: 0, isWhole: true, mostOpen: 1, rotated: 0 });
  t.true(resumed >= WALLS, `${resumed} resumptions`);
  t.true(requests <= resumed + 1 + LAST_REQUESTS, `${requests} requests`);
});
