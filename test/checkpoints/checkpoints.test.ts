import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { writeCheckpoint } from '../../daemon/checkpoints/checkpoint.ts';
import { CheckpointCipher } from '../../daemon/checkpoints/checkpoint-cipher.ts';
import type { DeadSession } from '../../daemon/checkpoints/recovery.ts';
import { TIME_ZERO_EPOCH_MS } from '../support/session-builders.ts';
import type { MemoryDisk } from './memory-disk.ts';
import { A, B, Call, MINUTE_MS, place, resumable, STATE } from './place.ts';

/** Copies of the disk from every moment when a crash could happen from now on. */
function crashes(memory: MemoryDisk): MemoryDisk[] {
  const copies: MemoryDisk[] = [];
  memory.onStep = () => copies.push(memory.copy());
  return copies;
}

test('on a real disk, sessions resume from their last checkpoint, and only the owner can read the files', async (t) => {
  const home = await fs.mkdtemp(join(tmpdir(), 'integratord-checkpoints-'));
  t.teardown(() => fs.rm(home, { recursive: true, force: true }));
  const real = { path: join(home, 'state'), disk: fs };
  const { thread } = place();
  const first = thread('main', real);
  t.deepEqual(await resumable(first), {});
  const [a, b] = [new Call(A, 1), new Call(B, 1)];
  first.track(a);
  first.track(b);
  await first.flush();
  [a.fragment, b.fragment] = [7, 9];
  t.true(await first.flush());
  t.deepEqual((await fs.readdir(real.path)).toSorted(), [
    `${A}.checkpoint.json`,
    `${B}.checkpoint.json`,
    'positions-main.json',
  ]);
  t.is((await fs.stat(real.path)).mode & 0o777, 0o700);
  for (const file of await fs.readdir(real.path)) t.is((await fs.stat(join(real.path, file))).mode & 0o777, 0o600);
  t.deepEqual(await resumable(thread('main', real)), { [A]: 7, [B]: 9 });
  await Promise.all([first.remove(A), first.remove(B)]);
  t.deepEqual(await fs.readdir(real.path), []);
});

test('with a directory that cannot exist, checkpoints are lost and nothing else', async (t) => {
  const { thread, of } = place();
  const main = thread('main', { path: '/dev/null/nowhere', disk: fs });
  t.deepEqual(await main.load(), []);
  main.track(new Call(A, 1));
  t.false(await main.flush());
  await main.remove(A);
  t.is(of('checkpoint.failing').length, 1);
});

test('a crash at any moment of a restart that moves sessions between threads loses nothing', async (t) => {
  const { memory, clock, thread } = place();
  await thread('main').load();
  const [one, two] = [thread('worker-1'), thread('worker-2')];
  one.track(new Call(A, 5));
  two.track(new Call(B, 6));
  await Promise.all([one.flush(), two.flush()]);
  clock.forward(2 * MINUTE_MS);
  const copies = crashes(memory);
  t.deepEqual(await resumable(thread('main')), { [A]: 5, [B]: 6 });
  // A resumes on B's former thread, which replaces its file before B has resumed.
  const other = thread('worker-2');
  const a = new Call(A, 5);
  other.track(a);
  a.fragment = 8;
  await other.flush();
  const third = thread('worker-1');
  third.track(new Call(B, 6));
  await third.flush();
  t.true(copies.length > 15);
  for (const [at, { disk }] of copies.entries()) {
    const { [A]: fragment = 0, ...rest } = await resumable(thread('main', { disk }));
    t.deepEqual(rest, { [B]: 6 }, `step ${at}`);
    t.true(fragment === 5 || fragment === 8, `step ${at}: ${fragment}`);
  }
});

test('a crash at any moment of a session’s end leaves the session complete or gone, and other sessions unchanged', async (t) => {
  const { memory, thread } = place();
  const main = thread('main');
  await main.load();
  main.track(new Call(A, 5));
  main.track(new Call(B, 6));
  await main.flush();
  const copies = crashes(memory);
  await main.remove(A);
  await main.flush();
  t.true(copies.length > 0);
  for (const { disk } of [...copies]) {
    const { [A]: fragment = 5, ...rest } = await resumable(thread('main', { disk }));
    t.deepEqual([fragment, rest], [5, { [B]: 6 }]);
  }
  await main.remove(B);
  t.deepEqual(memory.names, [], 'the last session takes the positions file with it');
});

test('an outdated positions file does not bring an ended session back', async (t) => {
  const { memory, thread } = place();
  const main = thread('main');
  await main.load();
  main.track(new Call(A, 5));
  await main.flush();
  memory.files.delete(`${STATE}/${A}.checkpoint.json`);
  t.deepEqual(await resumable(thread('main')), {});
  t.deepEqual(memory.names, []);
});

test('after the end of a thread only its sessions are loaded, and files of running threads stay', async (t) => {
  const { memory, thread } = place();
  const main = thread('main');
  await main.load();
  const [one, two] = [thread('worker-1'), thread('worker-2')];
  one.track(new Call(A, 5));
  two.track(new Call(B, 6));
  await Promise.all([one.flush(), two.flush()]);
  memory.files.set(`${STATE}/positions-worker-2.json.new`, 'being written');
  t.deepEqual(await resumable(main, new Set([A])), { [A]: 5 });
  for (const name of ['positions-worker-1.json', 'positions-worker-2.json', 'positions-worker-2.json.new']) {
    t.true(memory.names.includes(name), name);
  }
  await thread('worker-1').flush();
  t.deepEqual(await resumable(thread('main')), { [A]: 5, [B]: 6 });
});

test('a torn positions file costs only the progress since the session files', async (t) => {
  const { memory, clock, thread } = place();
  const main = thread('main');
  await main.load();
  const a = new Call(A, 5);
  main.track(a);
  await main.flush();
  a.fragment = 50;
  await main.flush();
  memory.files.set(`${STATE}/positions-main.json`, '{"version":1,"sess');
  t.deepEqual(await resumable(thread('other')), { [A]: 5 });
  memory.files.set(`${STATE}/positions-other.json`, `{"version":1,"sessions":{"${A}":{"callMs":null}}}`);
  clock.forward(4 * MINUTE_MS);
  t.deepEqual(await resumable(thread('main')), { [A]: 5 });
  memory.files.delete(`${STATE}/positions-main.json`);
  clock.forward(2 * MINUTE_MS);
  t.deepEqual(await resumable(thread('main')), {}, 'without the positions file the session is stale');
  t.deepEqual(memory.names, []);
});

test('a checkpoint resumes for five minutes; an older one is logged as stale and removed', async (t) => {
  const { memory, clock, thread, of } = place();
  const main = thread('main');
  main.track(new Call(A, 5));
  await main.flush();
  const stale = memory.copy();
  clock.forward(5 * MINUTE_MS);
  t.deepEqual(await resumable(thread('main')), { [A]: 5 });
  t.deepEqual(of('checkpoint.stale'), []);
  clock.forward(1);
  const dead: DeadSession[] = [];
  t.deepEqual(await thread('main', { disk: stale.disk }).load(undefined, (session) => dead.push(session)), []);
  t.like(dead, [{ sessionId: A, why: 'stale', identity: { request: { contactId: A } } }]);
  t.like(of('checkpoint.stale'), [{ level: 'warn', sessionId: A, contactId: A, ageMs: 5 * MINUTE_MS + 1 }]);
  t.deepEqual(stale.names, []);
});

test('stale and unreadable sessions do not resume, and unknown files stay', async (t) => {
  const { memory, clock, secret, thread, of } = place();
  thread('worker-1').track(new Call(A, 5));
  await clock.advance(0);
  clock.forward(6 * MINUTE_MS);
  secret.current = 'of another daemon';
  thread('worker-2').track(new Call(B, 5));
  await clock.advance(0);
  secret.current = 'key';
  memory.files.set(`${STATE}/half.checkpoint.json`, '{"version":1,"sess');
  memory.files.set(`${STATE}/positions-worker-3.json`, '{"version":1,"sess');
  memory.files.set(`${STATE}/${B}.checkpoint.json.new`, '{"ver');
  memory.files.set(`${STATE}/notes.txt`, 'not ours');
  t.deepEqual(await resumable(thread('main')), {});
  t.deepEqual(memory.names, ['notes.txt']);
  t.deepEqual(
    of('checkpoint.unreadable')
      .map(({ sessionId, thread: name }) => sessionId ?? name)
      .toSorted(),
    [B, 'half', 'worker-3'].toSorted(),
  );
  t.like(of('checkpoint.stale'), [{ sessionId: A }]);
});

test('resume points that were loaded but never used are removed once they are stale', async (t) => {
  const { memory, clock, thread } = place();
  thread('worker-1').track(new Call(A, 5));
  await clock.advance(0);
  const main = thread('main');
  await main.load();
  t.true(memory.names.includes('positions-main.json'));
  await clock.advance(5 * MINUTE_MS + 1000);
  t.false(memory.names.includes('positions-main.json'));
});

test('a long call resumes although its session file is old', async (t) => {
  const { clock, thread } = place();
  const main = thread('main');
  await main.load();
  const a = new Call(A, 5);
  main.track(a);
  await main.flush();
  clock.forward(60 * MINUTE_MS);
  a.fragment = 3600;
  await main.flush();
  t.deepEqual(await resumable(thread('main')), { [A]: 3600 });
});

test('checkpoints from a version without positions files are read', async (t) => {
  const { memory, clock, secret, thread } = place();
  const { sessionId, traceId, request, timeZeroEpochMs, resumePoint } = new Call(A, 5);
  const point = resumePoint.call({ fragment: 5 } as Call);
  const text = writeCheckpoint(
    { sessionId, traceId, request, timeZeroEpochMs, ...point, savedAtEpochMs: clock.epoch() },
    new CheckpointCipher(secret),
  );
  memory.files.set(`${STATE}/${A}.checkpoint.json`, text);
  t.deepEqual(await resumable(thread('main')), { [A]: 5 });
});

test('a session keeps its time 0 over a crash', async (t) => {
  const { thread } = place();
  const main = thread('main');
  main.track(new Call(A, 5));
  await main.flush();
  const [checkpoint] = await thread('main').load();
  t.is(checkpoint?.timeZeroEpochMs, TIME_ZERO_EPOCH_MS);
});

test('a checkpoint of an older daemon has no time 0: it follows from the producer times of its audio', async (t) => {
  const { memory, thread } = place();
  const main = thread('main');
  main.track(new Call(A, 5));
  await main.flush();
  const path = `${STATE}/${A}.checkpoint.json`;
  const { timeZeroEpochMs: _, ...older } = JSON.parse(String(memory.files.get(path)));
  memory.files.set(path, JSON.stringify(older));
  const [checkpoint] = await thread('main').load();
  t.is(checkpoint?.timeZeroEpochMs, 1, "when the call's clock began");
});

test('a frozen session keeps its resume point', async (t) => {
  const { thread } = place();
  const main = thread('main');
  await main.load();
  const a = new Call(A, 5);
  main.track(a);
  main.freeze(A);
  a.fragment = 6;
  await main.flush();
  t.deepEqual(await resumable(thread('main')), { [A]: 5 });
});

test('after a change of the secret, session files are encrypted with the new one', async (t) => {
  const { secret, thread } = place();
  const main = thread('main');
  await main.load();
  main.track(new Call(A, 5));
  await main.flush();
  [secret.current, secret.accepted] = ['new key', ['new key', 'key']];
  await main.flush();
  secret.accepted = ['new key'];
  t.deepEqual(await resumable(thread('main')), { [A]: 5 });
});

test('the files show nothing from the start request', async (t) => {
  const { memory, thread } = place();
  const main = thread('main');
  main.track(new Call(A, 5));
  await main.flush();
  t.is(memory.files.size, 2);
  for (const text of memory.files.values()) t.notRegex(text, /planted|callback|stream\/a|"key"/);
});

test('a disk that is full for a while costs only the checkpoints of that time', async (t) => {
  const { memory, thread } = place();
  const main = thread('main');
  await main.load();
  const a = new Call(A, 5);
  main.track(a);
  await main.flush();
  memory.failure = new Error('ENOSPC');
  main.track(new Call(B, 1));
  a.fragment = 6;
  t.false(await main.flush());
  const { disk } = memory.copy();
  t.deepEqual(await resumable(thread('main', { disk })), { [A]: 5 });
  memory.failure = undefined;
  t.true(await main.flush());
  t.deepEqual(await resumable(thread('main')), { [A]: 6, [B]: 1 });
});
