import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CannotServeControl, listenOnSocket } from '../../daemon/control/control-socket.ts';

async function directory(t: ExecutionContext) {
  const path = await mkdtemp(join(tmpdir(), 'control-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A worker thread, as AVA's, cannot set the process's umask. */
const listen = (path: string) =>
  listenOnSocket(
    path,
    () => {},
    () => 0,
  );

const refusedAt = (t: ExecutionContext, path: string) =>
  t.throwsAsync(listen(path), { instanceOf: CannotServeControl });

test('a control socket that another daemon has is named in one line, and stays its own', async (t) => {
  const path = join(await directory(t), 'control.sock');
  const server = await listen(path);
  t.teardown(() => server.close());
  const error = await refusedAt(t, path);
  t.deepEqual(error?.lines.length, 1);
  t.regex(error?.lines[0] ?? '', /^cannot listen on CONTROL_SOCKET \/.*: another process listens on it/);
});

test('a directory that is missing, a file in the way and a path that is too long are one line each', async (t) => {
  const inside = await directory(t);
  const missing = await refusedAt(t, join(inside, 'none', 'control.sock'));
  t.regex(missing?.lines[0] ?? '', /: its directory does not exist$/);
  await writeFile(join(inside, 'file'), '');
  t.regex((await refusedAt(t, join(inside, 'file')))?.lines[0] ?? '', /there is a file that is not a socket$/);
  t.is((await refusedAt(t, join(inside, 'x'.repeat(200))))?.lines.length, 1);
});
