import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { DrainRecord } from '../../daemon/admission/drain.ts';
import { DrainFile } from '../../daemon/admission/drain-file.ts';
import { recordedLog } from '../support/recorded-log.ts';

const RECORD: DrainRecord = {
  sinceEpochMs: 1,
  orders: [
    { source: 'operator', reason: 'update', deadlineAtEpochMs: undefined },
    { source: 'lifecycle', reason: 'Auto Scaling terminates this instance', deadlineAtEpochMs: 7_200_001 },
  ],
};

async function stage(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'drain-file-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const { log, of } = recordedLog();
  const file = (bootId = 'boot-1') => new DrainFile({ directory, log, bootId });
  return { directory, file, log, of, path: join(directory, 'drain.json') };
}

test('a record is read by the next process of the same boot, and by no other', async (t) => {
  const { directory, file, of } = await stage(t);
  const writer = file();
  t.is(await writer.load(), undefined);
  writer.save({ ...RECORD, sinceEpochMs: 0 });
  writer.save(RECORD);
  await writer.settled();
  t.deepEqual(await readdir(directory), ['drain.json']);
  t.deepEqual(await file().load(), RECORD);
  t.is(await file('boot-2').load(), undefined);
  writer.clear();
  await writer.settled();
  t.deepEqual(await readdir(directory), []);
  t.deepEqual(of('drain.record-failed'), []);
});

for (const text of ['', '{', 'null', '{"bootId":"boot-1"}', '{"bootId":"boot-1","sinceEpochMs":1,"orders":[{}]}']) {
  test(`a broken record counts as none: ${text || 'empty'}`, async (t) => {
    const { file, of, path } = await stage(t);
    await writeFile(path, text);
    t.is(await file().load(), undefined);
    t.is(of('drain.record-failed').length, 1);
  });
}

test('a disk that fails is reported and does no harm', async (t) => {
  const { file, of, path, directory } = await stage(t);
  await rm(directory, { recursive: true });
  await writeFile(directory, 'a file where the directory should be');
  const writer = file();
  writer.save(RECORD);
  await writer.settled();
  t.like(of('drain.record-failed'), [{ level: 'warn' }]);
  t.true(path.startsWith(directory));
});
