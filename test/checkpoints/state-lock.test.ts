import { once } from 'node:events';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { lockStateDirectory, StateDirectoryTaken } from '../../daemon/checkpoints/state-lock.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { Program } from '../support/process.ts';

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'integratord-lock-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a directory has one holder, whatever path names it, and is free once the holder has exited', async (t) => {
  const path = join(await directory(t), 'state');
  const lock = await lockStateDirectory(path, systemClock);
  const other = `${path}-link`;
  await symlink(path, other);
  const refused = await t.throwsAsync(lockStateDirectory(other, systemClock), { instanceOf: StateDirectoryTaken });
  t.true(refused.message.includes(`in use by another integratord, pid ${process.pid}`), refused.message);
  const another = await lockStateDirectory(`${path}-2`, systemClock);
  another?.close();
  lock?.close();
  if (lock) await once(lock, 'close');
  const again = await lockStateDirectory(other, systemClock);
  again?.close();
  t.truthy(again);
});

test('a holder that ends before it answers is waited for', async (t) => {
  const path = await directory(t);
  const { dev, ino } = await stat(path);
  const ending = createServer((socket) => {
    socket.destroy();
    ending.close();
  });
  ending.listen(`\0integratord-state-${dev}-${ino}`);
  await once(ending, 'listening');
  const lock = await lockStateDirectory(path, systemClock);
  lock?.close();
  t.truthy(lock);
});

test('a directory that cannot be made is left to the code that writes there', async (t) => {
  const file = join(await directory(t), 'file');
  await writeFile(file, '');
  t.is(await lockStateDirectory(join(file, 'state'), systemClock), undefined);
});

test('a second daemon exits with 78 and the reason; after kill -9 the next one starts at once', async (t) => {
  const env = {
    PORT: '0',
    HOST: '127.0.0.1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-stage',
    DEEPGRAM_API_KEY: 'key-of-the-stage',
    WORKERS: '0',
    STATE_DIR: await directory(t),
  };
  const first = new Program('daemon/main.ts', [], env);
  t.teardown(() => first.stop('SIGKILL'));
  await first.listening();
  const second = new Program('daemon/main.ts', [], env);
  t.is(await second.exited, 78);
  t.regex(second.stderr, new RegExp(`^integratord: STATE_DIR .* is in use by another integratord, pid ${first.pid}:`));
  await first.stop('SIGKILL');
  const third = new Program('daemon/main.ts', [], env);
  t.teardown(() => third.stop('SIGKILL'));
  await third.listening();
  t.pass();
});
