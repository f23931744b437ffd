import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bootId } from '../../daemon/runtime/boot-id.ts';

const BY_KERNEL = '0f2a9c1e-5b7d-4c3a-9e8f-112233445566\n';
const BY_SYSTEMD = '0f2a9c1e5b7d4c3a9e8f112233445566';

test('a boot has the same id, whether the unit or the kernel tells it; without both it has none', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-boot-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'boot_id');
  t.is(bootId({}, path), undefined);
  await writeFile(path, BY_KERNEL);
  t.is(bootId({}, path), BY_SYSTEMD);
  t.is(bootId({ BOOT_ID: BY_SYSTEMD }, `${path} that is hidden`), BY_SYSTEMD);
  t.is(bootId({ BOOT_ID: '' }, path), BY_SYSTEMD);
});
