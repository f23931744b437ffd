import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cordonRecord, drainRecord } from '../../daemon/admission/boot-record.ts';
import type { DrainRecord } from '../../daemon/admission/orders.ts';
import { recordedLog } from '../support/recorded-log.ts';

const RECORD: DrainRecord = {
  sinceEpochMs: 1,
  orders: [
    { source: 'operator', reason: 'update', deadlineAtEpochMs: undefined },
    { source: 'lifecycle', reason: 'Auto Scaling terminates this instance', deadlineAtEpochMs: 7_200_001 },
  ],
};

async function stage(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'boot-record-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const { log, of } = recordedLog();
  const file = (bootId = 'boot-1') => drainRecord({ directory, log, bootId });
  const cordon = () => cordonRecord({ directory, log, bootId: 'boot-1' });
  return { directory, file, cordon, log, of, path: join(directory, 'drain.json') };
}

test('a record is read by the next process of the same boot, and by no other', async (t) => {
  const { directory, file, of } = await stage(t);
  const writer = file();
  t.is(await writer.load(), undefined);
  void writer.save({ ...RECORD, sinceEpochMs: 0 });
  await writer.save(RECORD);
  t.deepEqual(await readdir(directory), ['drain.json']);
  t.deepEqual(await file().load(), RECORD);
  t.is(await file('boot-2').load(), undefined);
  await writer.clear();
  t.deepEqual(await readdir(directory), []);
  t.deepEqual(of('daemon.record-failed'), []);
});

for (const text of ['', '{', 'null', '{"bootId":"boot-1"}', '{"bootId":"boot-1","sinceEpochMs":1,"orders":[{}]}']) {
  test(`a broken record counts as none: ${text || 'empty'}`, async (t) => {
    const { file, of, path } = await stage(t);
    await writeFile(path, text);
    t.is(await file().load(), undefined);
    t.is(of('daemon.record-failed').length, 1);
  });
}

test('a cordon has a record of its own', async (t) => {
  const { directory, file, cordon } = await stage(t);
  const writer = cordon();
  await writer.save({ sinceEpochMs: 7, reason: 'bad disk' });
  t.deepEqual(await cordon().load(), { sinceEpochMs: 7, reason: 'bad disk' });
  t.is(await file().load(), undefined);
  await writer.clear();
  t.deepEqual(await readdir(directory), []);
});

test('a disk that fails is reported and does no harm', async (t) => {
  const { file, of, path, directory } = await stage(t);
  await rm(directory, { recursive: true });
  await writeFile(directory, 'a file where the directory should be');
  const writer = file();
  await writer.save(RECORD);
  t.like(of('daemon.record-failed'), [{ level: 'warn' }]);
  t.true(path.startsWith(directory));
});
