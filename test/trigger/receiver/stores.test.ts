import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '../../../daemon/runtime/clock.ts';
import { DirectoryStore } from '../../../trigger/receiver/directory-store.ts';
import { S3Store } from '../../../trigger/receiver/s3-store.ts';
import { callPrefix, isKeyPart, isRequestKey, requestKey, type Store } from '../../../trigger/receiver/store.ts';
import { fakeS3 } from './fake-s3.ts';

async function inDirectory(t: ExecutionContext): Promise<Store> {
  const directory = await mkdtemp(join(tmpdir(), 'receiver-store-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return new DirectoryStore(join(directory, 'kept'));
}

async function inBucket(t: ExecutionContext): Promise<Store> {
  const { env } = await fakeS3(t, 'transcripts');
  return new S3Store('transcripts', env, systemClock);
}

for (const [where, made] of [
  ['a directory', inDirectory],
  ['a bucket', inBucket],
] as const) {
  test(`${where} keeps objects, and finds those of a call`, async (t) => {
    const store = await made(t);
    const keys = ['1-2', '3-3', '4-9', '10:1'].map((id) => requestKey('contact:1', id));
    t.deepEqual(await store.list(callPrefix('contact:1')), []);
    t.is(await store.get(requestKey('contact:1', '1-2')), undefined);
    for (const key of keys) await store.put(key, Buffer.from(`of ${key}`));
    await store.put(requestKey('contact:10', '1-1'), Buffer.from('of another call'));
    await store.put(keys[0] ?? '', Buffer.from('again'));
    t.deepEqual((await store.list(callPrefix('contact:1'))).sort(), keys.toSorted());
    t.is(String(await store.get(keys[0] ?? '')), 'again');
    t.is(String(await store.get(keys[3] ?? '')), `of ${keys[3]}`);
  });
}

test('a refusal of S3 is named, without the key', async (t) => {
  const { env, failures } = await fakeS3(t, 'transcripts');
  const store = new S3Store('transcripts', env, systemClock);
  failures.push(503, 503, 500);
  const refused = { message: /^S3 refused (?:PUT|LIST|GET): SlowDown \(HTTP 50[03]\)$/ };
  await t.throwsAsync(store.put('calls/a/b.json', Buffer.from('x')), refused);
  await t.throwsAsync(store.list('calls/a/'), refused);
  await t.throwsAsync(store.get('calls/a/b.json'), refused);
  const stranger = new S3Store('transcripts', { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' }, systemClock);
  await t.throwsAsync(stranger.put('calls/a/b.json', Buffer.from('x')), { message: /SignatureDoesNotMatch/ });
});

test('what a call has beside its requests is told by its key', (t) => {
  t.true(isRequestKey('contact-1', requestKey('contact-1', 'x_1_1-3')));
  for (const other of ['', '.json', 'x.json.part', 'folder/', 'folder/x.json', 'notes.txt']) {
    t.false(isRequestKey('contact-1', `calls/contact-1/${other}`), other);
  }
});

test('a part of a key cannot lead out of its place', (t) => {
  for (const id of ['..', '.', '', 'a/b', 'a\\b', 'a\0', 'ä', ' ', 'x'.repeat(201)]) t.false(isKeyPart(id), id);
  for (const id of ['..a', 'a', '6f0d7c5e-1c1f-4a39_1_1-3', 'x'.repeat(200)]) t.true(isKeyPart(id), id);
  t.throws(() => callPrefix('..'));
});
