import { cpSync, mkdirSync, rmSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { writeCheckpoint } from '../../daemon/checkpoints/checkpoint.ts';
import { CheckpointCipher } from '../../daemon/checkpoints/checkpoint-cipher.ts';
import { Checkpoints, type Followed } from '../../daemon/checkpoints/checkpoints.ts';
import { type Disk, StateDirectory } from '../../daemon/checkpoints/state-directory.ts';
import { createLog } from '../../daemon/log/log.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import type { Secret } from '../../daemon/secrets/secret.ts';

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const MINUTE_MS = 60_000;

class Call implements Followed {
  readonly sessionId: string;
  readonly traceId = TRACE;
  readonly request: Followed['request'];
  fragment: number;

  constructor(sessionId: string, fragment: number) {
    this.sessionId = sessionId;
    this.fragment = fragment;
    const kvsStream = { arn: 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/a/1', startFragmentNumber: '0' };
    this.request = { contactId: sessionId, kvsStream, dgParams: { callback: 'https://a' }, enforceRealtime: false };
  }

  resumePoint(): ReturnType<Followed['resumePoint']> {
    const position = { fragmentNumber: String(this.fragment), continuationToken: 't', producerEpochMs: 1 };
    const callClock = { originMs: 1, driftFrames: [0, 0], delayFrames: [0, 0] } as const;
    return { position, callClock, callMs: this.fragment * 1000, connections: 1 };
  }
}

/** A home for state directories, a clock that the test moves, and daemons' threads on them. */
async function place(t: ExecutionContext) {
  const home = await fs.mkdtemp(join(tmpdir(), 'integratord-checkpoints-'));
  t.teardown(() => fs.rm(home, { recursive: true, force: true }));
  const state = join(home, 'state');
  const clock = { ...systemClock, nowMs: 1_700_000_000_000, now: () => clock.nowMs, epoch: () => clock.nowMs };
  const secret = { current: 'key', accepted: ['key'], renew: async () => {} } as {
    -readonly [K in keyof Secret]: Secret[K];
  };
  const thread = (name: string, { path = state, disk = fs as Disk } = {}) =>
    new Checkpoints(name, new StateDirectory(path, new CheckpointCipher(secret), disk), clock, createLog('silent'));
  return { home, state, clock, secret, thread };
}

/** Per session that goes on the fragment after which it does. */
async function goesOn(checkpoints: Checkpoints, only?: ReadonlySet<string>): Promise<Record<string, number>> {
  const found = await checkpoints.load(only);
  return Object.fromEntries(found.map(({ sessionId, position }) => [sessionId, Number(position.fragmentNumber)]));
}

/** A disk that keeps a copy of the directory before each of its steps, and of each half-written file. */
function copyingDisk(home: string, state: string) {
  const copies: string[] = [];
  const copy = () => {
    const path = join(home, `copy-${copies.length}`);
    // Other steps are under way in Node's own threads: a file that goes while it is copied makes the copy none.
    for (let isWhole = false; !isWhole; ) {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      try {
        cpSync(state, path, { recursive: true });
        isWhole = true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    copies.push(path);
  };
  const disk: Disk = {
    ...fs,
    writeFile: (async (path: string, text: string, options: { mode: number }) => {
      copy();
      await fs.writeFile(path, text.slice(0, text.length / 2), options);
      copy();
      await fs.writeFile(path, text, options);
    }) as Disk['writeFile'],
    rename: async (from, to) => {
      copy();
      await fs.rename(from, to);
      copy();
    },
    rm: async (path, options) => {
      copy();
      await fs.rm(path, options);
      copy();
    },
  };
  return { disk, copies };
}

test('sessions go on from where they were last written, and files are the owner’s only', async (t) => {
  const { state, thread } = await place(t);
  const first = thread('main');
  t.deepEqual(await goesOn(first), {});
  const [a, b] = [new Call(A, 1), new Call(B, 1)];
  first.moved(a);
  first.moved(b);
  await first.flush();
  [a.fragment, b.fragment] = [7, 9];
  t.true(await first.flush());
  t.deepEqual((await fs.readdir(state)).toSorted(), [
    `${A}.checkpoint.json`,
    `${B}.checkpoint.json`,
    'positions-main.json',
  ]);
  t.is((await fs.stat(state)).mode & 0o777, 0o700);
  for (const file of await fs.readdir(state)) t.is((await fs.stat(join(state, file))).mode & 0o777, 0o600);
  t.deepEqual(await goesOn(thread('main')), { [A]: 7, [B]: 9 });
});

test('a crash between any two steps of a restart, with other threads’ sessions resumed elsewhere, loses nothing', async (t) => {
  const { home, state, clock, thread } = await place(t);
  const main = thread('main');
  await main.load();
  const [one, two] = [thread('worker-1'), thread('worker-2')];
  one.moved(new Call(A, 5));
  two.moved(new Call(B, 6));
  await Promise.all([one.flush(), two.flush()]);
  clock.nowMs += 2 * MINUTE_MS;
  const { disk, copies } = copyingDisk(home, state);
  const again = thread('main', { disk });
  t.deepEqual(await goesOn(again), { [A]: 5, [B]: 6 });
  // A goes on in the other's thread, whose file is replaced before B has moved anywhere.
  const other = thread('worker-2', { disk });
  const a = new Call(A, 5);
  other.moved(a);
  a.fragment = 8;
  await other.flush();
  const third = thread('worker-1', { disk });
  third.moved(new Call(B, 6));
  await third.flush();
  t.true(copies.length > 15);
  for (const [at, path] of copies.entries()) {
    const { [A]: fragment = 0, ...rest } = await goesOn(thread('main', { path }));
    t.deepEqual(rest, { [B]: 6 }, `step ${at}`);
    t.true(fragment === 5 || fragment === 8, `step ${at}: ${fragment}`);
  }
});

test('a crash between any two steps of a session’s end leaves it whole or gone, and another as it was', async (t) => {
  const { home, state, thread } = await place(t);
  const { disk, copies } = copyingDisk(home, state);
  const main = thread('main', { disk });
  await main.load();
  main.moved(new Call(A, 5));
  main.moved(new Call(B, 6));
  await main.flush();
  const from = copies.length;
  await main.remove(A);
  await main.flush();
  const ended = copies.length;
  for (const path of copies.slice(from)) {
    const { [A]: fragment = 5, ...rest } = await goesOn(thread('main', { path }));
    t.deepEqual([fragment, rest], [5, { [B]: 6 }]);
  }
  t.true(ended > from);
  await main.remove(B);
  t.deepEqual(await fs.readdir(state), [], 'the last one takes the positions with it');
});

test('a session that has ended does not come back from a positions file that still has it', async (t) => {
  const { state, thread } = await place(t);
  const main = thread('main');
  await main.load();
  main.moved(new Call(A, 5));
  await main.flush();
  await fs.rm(join(state, `${A}.checkpoint.json`));
  t.deepEqual(await goesOn(thread('main')), {});
  t.deepEqual(await fs.readdir(state), []);
});

test('when a thread is gone its sessions are loaded alone, and files of threads that run are left alone', async (t) => {
  const { state, thread } = await place(t);
  const main = thread('main');
  await main.load();
  const [one, two] = [thread('worker-1'), thread('worker-2')];
  one.moved(new Call(A, 5));
  two.moved(new Call(B, 6));
  await Promise.all([one.flush(), two.flush()]);
  await fs.writeFile(join(state, 'positions-worker-2.json.new'), 'being written');
  t.deepEqual(await goesOn(main, new Set([A])), { [A]: 5 });
  const files = await fs.readdir(state);
  for (const name of ['positions-worker-1.json', 'positions-worker-2.json', 'positions-worker-2.json.new']) {
    t.true(files.includes(name), name);
  }
  await thread('worker-1').flush();
  t.deepEqual(await goesOn(thread('main')), { [A]: 5, [B]: 6 });
});

test('a torn positions file costs no more than what it says beyond the session files', async (t) => {
  const { state, clock, thread } = await place(t);
  const main = thread('main');
  await main.load();
  const a = new Call(A, 5);
  main.moved(a);
  await main.flush();
  a.fragment = 50;
  await main.flush();
  await fs.writeFile(join(state, 'positions-main.json'), '{"version":1,"sess');
  t.deepEqual(await goesOn(thread('other', { path: state })), { [A]: 5 });
  await fs.writeFile(join(state, 'positions-other.json'), `{"version":1,"sessions":{"${A}":{"callMs":null}}}`);
  clock.nowMs += 4 * MINUTE_MS;
  t.deepEqual(await goesOn(thread('main')), { [A]: 5 });
  await fs.rm(join(state, 'positions-main.json'));
  clock.nowMs += 2 * MINUTE_MS;
  t.deepEqual(await goesOn(thread('main')), {}, 'and no session that it made young enough');
  t.deepEqual(await fs.readdir(state), []);
});

test('a long call goes on though its own file is old', async (t) => {
  const { clock, thread } = await place(t);
  const main = thread('main');
  await main.load();
  const a = new Call(A, 5);
  main.moved(a);
  await main.flush();
  clock.nowMs += 60 * MINUTE_MS;
  a.fragment = 3600;
  await main.flush();
  t.deepEqual(await goesOn(thread('main')), { [A]: 3600 });
});

test('what a version with one file for everything left is read', async (t) => {
  const { state, clock, secret, thread } = await place(t);
  await fs.mkdir(state);
  const { sessionId, traceId, request, resumePoint } = new Call(A, 5);
  const where = resumePoint.call({ fragment: 5 } as Call);
  const text = writeCheckpoint(
    { sessionId, traceId, request, ...where, savedAtEpochMs: clock.nowMs },
    new CheckpointCipher(secret),
  );
  await fs.writeFile(join(state, `${A}.checkpoint.json`), text);
  t.deepEqual(await goesOn(thread('main')), { [A]: 5 });
});

test('a session that reads no more stays where it was', async (t) => {
  const { thread } = await place(t);
  const main = thread('main');
  await main.load();
  const a = new Call(A, 5);
  main.moved(a);
  main.settle(A);
  a.fragment = 6;
  await main.flush();
  t.deepEqual(await goesOn(thread('main')), { [A]: 5 });
});

test('after the secret has changed session files are sealed with the new one', async (t) => {
  const { secret, thread } = await place(t);
  const main = thread('main');
  await main.load();
  main.moved(new Call(A, 5));
  await main.flush();
  [secret.current, secret.accepted] = ['new key', ['new key', 'key']];
  await main.flush();
  secret.accepted = ['new key'];
  t.deepEqual(await goesOn(thread('main')), { [A]: 5 });
});

test('a disk that is full for a while costs the checkpoints of that while', async (t) => {
  const { thread } = await place(t);
  let isFull = false;
  const disk: Disk = {
    ...fs,
    writeFile: ((...args: Parameters<typeof fs.writeFile>) =>
      isFull ? Promise.reject(new Error('ENOSPC')) : fs.writeFile(...args)) as Disk['writeFile'],
  };
  const main = thread('main', { disk });
  await main.load();
  const a = new Call(A, 5);
  main.moved(a);
  await main.flush();
  isFull = true;
  main.moved(new Call(B, 1));
  a.fragment = 6;
  t.false(await main.flush());
  t.deepEqual(await goesOn(thread('main')), { [A]: 5 });
  isFull = false;
  t.true(await main.flush());
  t.deepEqual(await goesOn(thread('main')), { [A]: 6, [B]: 1 });
});
