import test from 'ava';
import { A, B, Call, MINUTE_MS, place, resumable } from './place.ts';

const SECOND_MS = 1000;
const POSITIONS = 'positions-main.json';

test('resume points are written once a second, however often sessions progress', async (t) => {
  const { clock, memory, thread } = place();
  const main = thread('main');
  const [a, b] = [new Call(A, 0), new Call(B, 0)];
  main.track(a);
  main.track(b);
  for (let at = 0; at < 10 * SECOND_MS; at += 50) {
    a.fragment++;
    main.changed();
    await clock.advance(50);
  }
  t.is(memory.written.filter((name) => name === POSITIONS).length, 11, 'at 0 s, 1 s, … 10 s');
  t.is(memory.written.length, 13, 'plus the two session files, once');
});

test('a session’s first checkpoint is written at once', async (t) => {
  const { clock, memory, thread } = place();
  const main = thread('main');
  main.track(new Call(A, 5));
  await clock.advance(0);
  t.deepEqual(memory.names, [`${A}.checkpoint.json`, POSITIONS]);
  t.deepEqual(await resumable(thread('other')), { [A]: 5 });
});

test('whoever waits for a session’s file hears when it is on disk, and when that cannot be', async (t) => {
  const { clock, memory, thread } = place();
  const main = thread('main');
  const gate = Promise.withResolvers<void>();
  memory.gate = gate.promise;
  main.track(new Call(A, 0));
  let isSettled = false;
  const settled = main.settled(A).then(() => {
    isSettled = true;
  });
  await clock.advance(5 * SECOND_MS);
  t.false(isSettled);
  gate.resolve();
  await settled;
  t.true(memory.names.includes(`${A}.checkpoint.json`));
  memory.failure = new Error('ENOSPC');
  main.track(new Call(B, 0));
  await main.settled(B);
  t.false(memory.names.includes(`${B}.checkpoint.json`));
});

test('nothing is written while no session progresses', async (t) => {
  const { clock, memory, thread } = place();
  const main = thread('main');
  main.track(new Call(A, 5));
  await clock.advance(SECOND_MS);
  const { length } = memory.written;
  await clock.advance(60 * MINUTE_MS);
  t.is(memory.written.length, length);
  t.is(clock.pending, 0);
});

test('changes during a write are written a second after its start', async (t) => {
  const { clock, memory, thread } = place();
  const main = thread('main');
  const a = new Call(A, 5);
  const gate = Promise.withResolvers<void>();
  memory.gate = gate.promise;
  main.track(a);
  await clock.advance(400);
  a.fragment = 6;
  main.changed();
  gate.resolve();
  await clock.advance(599);
  t.is(memory.written.filter((name) => name === POSITIONS).length, 1);
  await clock.advance(1);
  t.is(memory.written.filter((name) => name === POSITIONS).length, 2);
  t.deepEqual(await resumable(thread('other')), { [A]: 6 });
});

test('a slow disk gets one write at a time', async (t) => {
  const { clock, memory, thread } = place();
  const main = thread('main');
  const a = new Call(A, 5);
  const gate = Promise.withResolvers<void>();
  memory.gate = gate.promise;
  main.track(a);
  for (let second = 0; second < 30; second++) {
    main.changed();
    await clock.advance(SECOND_MS);
  }
  t.is(clock.pending, 0, 'no timer while a write is in progress');
  gate.resolve();
  await clock.settle();
  t.is(memory.written.filter((name) => name === POSITIONS).length, 1);
});

test('a session that ends while its file is being written does not come back', async (t) => {
  const { clock, memory, thread } = place();
  const main = thread('main');
  const gate = Promise.withResolvers<void>();
  memory.gate = gate.promise;
  main.track(new Call(A, 5));
  await clock.settle();
  const removal = main.remove(A);
  gate.resolve();
  await removal;
  await clock.advance(SECOND_MS);
  t.deepEqual(memory.names, []);
});

test('a failing disk is retried every second; failure and recovery are logged once each', async (t) => {
  const { clock, memory, thread, of } = place();
  const main = thread('main');
  memory.failure = new Error('ENOSPC: no space left on device');
  main.track(new Call(A, 5));
  await clock.advance(10 * SECOND_MS);
  t.like(of('checkpoint.failing'), [
    { level: 'error', directory: '/state', error: 'Error: ENOSPC: no space left on device' },
  ]);
  t.is(of('checkpoint.failing').length, 1);
  t.deepEqual(of('checkpoint.recovered'), []);
  memory.failure = undefined;
  await clock.advance(SECOND_MS);
  t.is(of('checkpoint.recovered').length, 1);
  t.deepEqual(await resumable(thread('other')), { [A]: 5 });
  memory.failure = new Error('EIO');
  main.track(new Call(B, 5));
  await clock.advance(3 * SECOND_MS);
  t.is(of('checkpoint.failing').length, 2, 'the next failure is logged again');
});

test('a session file that cannot be removed is logged, and nothing else', async (t) => {
  const { clock, memory, thread, of } = place();
  const main = thread('main');
  main.track(new Call(A, 5));
  await clock.advance(SECOND_MS);
  memory.failure = new Error('EROFS');
  await main.remove(A);
  t.is(of('checkpoint.failing').length, 1);
});

test('after a change of the secret, session files are rewritten 250 at a time', async (t) => {
  const { clock, memory, secret, thread } = place();
  const main = thread('main');
  const sessionIds = Array.from({ length: 600 }, (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`);
  for (const sessionId of sessionIds) main.track(new Call(sessionId, 5));
  await clock.advance(SECOND_MS);
  [secret.current, secret.accepted] = ['new key', ['new key', 'key']];
  main.changed();
  const perSecond: number[] = [];
  for (const ms of [0, SECOND_MS, SECOND_MS, SECOND_MS]) {
    memory.written.length = 0;
    await clock.advance(ms);
    perSecond.push(memory.written.filter((name) => name !== POSITIONS).length);
  }
  t.deepEqual(perSecond, [250, 250, 100, 0]);
  secret.accepted = ['new key'];
  t.is(Object.keys(await resumable(thread('other'))).length, 600);
});
