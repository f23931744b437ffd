import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { SealedLetters } from '../../daemon/results/dead-letters/dead-letters.ts';
import type { DeadLetter } from '../../daemon/results/dead-letters/letter.ts';
import { directoryBox, type LetterBox } from '../../daemon/results/dead-letters/letter-box.ts';
import { retryLetters } from '../../daemon/results/dead-letters/retry-letters.ts';
import { s3Box, s3PlaceOf } from '../../daemon/results/dead-letters/s3-box.ts';
import type { Batch } from '../../daemon/results/sink.ts';
import { folderAt } from '../../daemon/results/spool/folder.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { Sealing } from '../../daemon/secrets/sealing.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { TestSink } from './event-stage.ts';
import { MemoryFolder } from './memory-folder.ts';
import { s3Server } from './s3-server.ts';

const MIB = 1024 * 1024;

function letterOf(from = 1, count = 2, webhook = 'https://hooks.example.com/calls'): DeadLetter {
  const sessionId = randomUUID();
  const events = Array.from({ length: count }, (_, index) => {
    const sequence = from + index;
    return { sequence, type: 'transcript', json: Buffer.from(`{"sequence": ${sequence}, "text": "planted wörds"}`) };
  });
  const session = { sessionId, contactId: 'contact-1', contact: undefined, webhook, stream: 'none' as const };
  return { sink: 'webhook', batch: { session, epoch: 1, id: `${sessionId}_1_${from}-${from + count - 1}`, events } };
}

function stage(box: LetterBox | undefined, secret = fixedSecret('the state key')) {
  const clock = new VirtualClock();
  const { log, of, lines } = recordedLog();
  const lost = { events: 0 };
  const sealing = new Sealing([secret], 'results');
  const letters = new SealedLetters({ box, sealing, clock, log, onLost: (events) => (lost.events += events) });
  return { clock, log, of, lines, lost, letters };
}

test('a dead letter is sealed, and comes back as it was', async (t) => {
  const folder = new MemoryFolder();
  const { letters } = stage(directoryBox(folder, MIB));
  const letter = letterOf();
  t.is(await letters.put(letter), 'kept');
  for (const bytes of folder.files.values()) t.false(bytes.includes('planted'));
  const [name = ''] = await letters.names();
  t.deepEqual(await letters.read(name), letter);
  await letters.remove(name);
  t.deepEqual(await letters.names(), []);
  t.is(await letters.read(name), undefined);
});

test('letters on a disk are bounded: the oldest make room, and that is said', async (t) => {
  const { letters, lost, clock, of } = stage(directoryBox(new MemoryFolder(), 1500));
  for (let nth = 0; nth < 5; nth++) {
    await letters.put(letterOf(nth * 10 + 1));
    await clock.advance(1000);
  }
  const names = await letters.names();
  t.is(names.length * 2 + lost.events, 5 * 2);
  t.true(lost.events > 0);
  t.is((await letters.read(names.at(-1) ?? ''))?.batch.events[0]?.sequence, 41);
  t.true(of('results.letters-lost').length > 0);
});

/** How many events are in letters that are still there. */
async function eventsLeft(letters: SealedLetters): Promise<number> {
  const kept = await Promise.all((await letters.names()).map((name) => letters.read(name)));
  return kept.reduce((sum, letter) => sum + (letter?.batch.events.length ?? 0), 0);
}

test('every event of a letter that made room is counted, once, also where several are written at a time', async (t) => {
  const { letters, lost } = stage(directoryBox(new MemoryFolder(), 20_000));
  const put = Array.from({ length: 8 }, (_, nth) => letters.put(letterOf(nth * 50 + 1, 50)));
  t.deepEqual(new Set(await Promise.all(put)), new Set(['kept']));
  t.true(lost.events > 0);
  t.is((await eventsLeft(letters)) + lost.events, 8 * 50);
});

test('what made room is counted even if the disk takes the new letter only later, or never', async (t) => {
  const folder = new MemoryFolder();
  const { letters, lost, of } = stage(directoryBox(folder, 20_000));
  for (let nth = 0; nth < 3; nth++) t.is(await letters.put(letterOf(nth * 50 + 1, 50)), 'kept');
  const before = (await eventsLeft(letters)) + lost.events;
  folder.state = 'full';
  t.is(await letters.put(letterOf(1000, 70)), 'failed');
  t.true(lost.events > 0);
  t.is((await eventsLeft(letters)) + lost.events, before);
  t.is(of('results.letters-lost').length, 1);
});

test('letters of one moment keep their order, whatever their sizes', async (t) => {
  const { letters } = stage(directoryBox(new MemoryFolder(), MIB));
  const counts = [2, 60, 1, 9, 30];
  for (const count of counts) await letters.put(letterOf(1, count));
  const kept = await Promise.all((await letters.names()).map((name) => letters.read(name)));
  t.deepEqual(
    kept.map((letter) => letter?.batch.events.length),
    counts,
  );
});

test('without a place for them letters are lost, and said to be', async (t) => {
  t.is(await stage(undefined).letters.put(letterOf()), 'lost');
});

test('files are for their owner only', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-letters-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'dead-letters');
  const { letters } = stage(directoryBox(folderAt(path), MIB));
  await letters.put(letterOf());
  const [name = ''] = await readdir(path);
  t.is((await stat(join(path, name))).mode & 0o777, 0o600);
  t.is((await stat(path)).mode & 0o777, 0o700);
});

test('retry delivers all letters under their ids, oldest first, and removes them', async (t) => {
  const { letters, log, clock, of } = stage(directoryBox(new MemoryFolder(), MIB));
  const sent = [letterOf(), letterOf(), letterOf()];
  for (const letter of sent) {
    await letters.put(letter);
    await clock.advance(1);
  }
  const sink = new TestSink();
  t.deepEqual(await retryLetters({ letters, sinks: [sink], log }), {
    delivered: 3,
    left: 0,
    unreadable: 0,
    notRemoved: 0,
  });
  t.deepEqual(
    sink.batches.map(({ id }) => id),
    sent.map(({ batch }) => batch.id),
  );
  t.deepEqual(await letters.names(), []);
  t.like(of('results.retried')[0], { delivered: 3 });
});

test('a destination that fails keeps its letters and is asked once, others get theirs', async (t) => {
  const { letters, log, clock } = stage(directoryBox(new MemoryFolder(), MIB));
  for (const host of ['a', 'b', 'a', 'b']) {
    await letters.put(letterOf(1, 1, `https://${host}.example/`));
    await clock.advance(1);
  }
  const sink = new TestSink();
  sink.answer = ({ session }) =>
    session.webhook?.includes('a.example') ? { name: 'retry', error: 'HTTP 500' } : { name: 'delivered' };
  t.deepEqual(await retryLetters({ letters, sinks: [sink], log }), {
    delivered: 2,
    left: 2,
    unreadable: 0,
    notRemoved: 0,
  });
  t.is(sink.attempts.length, 3);
  t.is((await letters.names()).length, 2);
});

test('a letter that its destination refuses costs the others nothing', async (t) => {
  const { letters, log, clock } = stage(directoryBox(new MemoryFolder(), MIB));
  const sent = ['gone', 'refused', 'too-large', 'fine'].map((path) => letterOf(1, 1, `https://a.example/${path}`));
  for (const letter of sent) {
    await letters.put(letter);
    await clock.advance(1);
  }
  const sink = new TestSink();
  sink.answer = ({ session: { webhook = '' } }) => {
    if (webhook.endsWith('gone')) return { name: 'given-up', error: 'HTTP 410' };
    if (webhook.endsWith('refused')) return { name: 'retry', error: 'HTTP 404', isRefused: true };
    return webhook.endsWith('too-large') ? { name: 'too-large', error: 'HTTP 413' } : { name: 'delivered' };
  };
  t.like(await retryLetters({ letters, sinks: [sink], log }), { delivered: 1, left: 3 });
  t.deepEqual(sink.batches, [sent.at(-1)?.batch as Batch]);
});

/** A box that fails for letters, as a bucket may. */
function failingBox(fails: { read?: RegExp; remove?: RegExp }): LetterBox {
  const box = directoryBox(new MemoryFolder(), MIB);
  const orFail = async <T>(pattern: RegExp | undefined, name: string, act: () => Promise<T>): Promise<T> => {
    if (pattern?.test(name)) throw new Error('AccessDenied');
    return act();
  };
  return {
    ...box,
    read: (name) => orFail(fails.read, name, () => box.read(name)),
    remove: (name) => orFail(fails.remove, name, () => box.remove(name)),
  };
}

test('a letter that the bucket does not give or remove costs the others nothing, and blames no key', async (t) => {
  const fails: { read?: RegExp; remove?: RegExp } = {};
  const { letters, log, clock, of } = stage(failingBox(fails));
  const sent = [letterOf(), letterOf(), letterOf()];
  for (const letter of sent) {
    await letters.put(letter);
    await clock.advance(1);
  }
  const [first, second, third] = sent.map(({ batch }) => batch);
  fails.read = new RegExp(first?.id ?? '');
  fails.remove = new RegExp(second?.id ?? '');
  const sink = new TestSink();
  const retried = await retryLetters({ letters, sinks: [sink], log });
  t.deepEqual(retried, { delivered: 2, left: 1, unreadable: 0, notRemoved: 1 });
  t.deepEqual(sink.batches, [second, third]);
  t.is(of('results.letter-unreadable').length, 1);
  t.is(of('results.letter-not-removed').length, 1);
  t.is((await letters.names()).length, 2);
});

test('a letter of a newer version stays, and says so without a word of it', async (t) => {
  const folder = new MemoryFolder();
  const { letters, log, lines } = stage(directoryBox(folder, MIB));
  const sealing = new Sealing([fixedSecret('the state key')], 'results');
  for (const text of ['{"version": 2, "text": "planted"}', 'planted, and no JSON'])
    await directoryBox(folder, MIB).replace(
      `00000000000000${text.length % 10}-9-webhook-x`,
      sealing.seal(Buffer.from(text)),
    );
  await letters.put(letterOf());
  const retried = await retryLetters({ letters, sinks: [new TestSink()], log });
  t.like(retried, { delivered: 1, left: 0, unreadable: 2 });
  t.false(JSON.stringify(lines).includes('planted'));
});

test('a letter that is too large is delivered in parts', async (t) => {
  const { letters, log } = stage(directoryBox(new MemoryFolder(), MIB));
  const letter = letterOf(1, 5);
  await letters.put(letter);
  const sink = new TestSink();
  sink.answer = ({ events }) => (events.length > 2 ? { name: 'too-large', error: 'HTTP 413' } : { name: 'delivered' });
  t.like(await retryLetters({ letters, sinks: [sink], log }), { delivered: 1 });
  t.deepEqual(
    sink.batches.flatMap(({ events }) => events.map(({ sequence }) => sequence)),
    [1, 2, 3, 4, 5],
  );
  t.is(sink.batches.at(-1)?.id, `${letter.batch.session.sessionId}_1_4-5`);
});

test('letters are sealed again when the key changes; one that no key opens stays', async (t) => {
  const folder = new MemoryFolder();
  const secret = { current: 'one', accepted: ['one'], renew: async () => {} };
  const { letters } = stage(directoryBox(folder, MIB), secret);
  await letters.put(letterOf());
  const stranger = stage(directoryBox(folder, MIB), fixedSecret('two'));
  t.deepEqual(await retryLetters({ letters: stranger.letters, sinks: [new TestSink()], log: stranger.log }), {
    delivered: 0,
    left: 0,
    unreadable: 1,
    notRemoved: 0,
  });
  secret.current = 'two';
  secret.accepted = ['two', 'one'];
  await letters.sealAgain();
  t.like(await retryLetters({ letters: stranger.letters, sinks: [new TestSink()], log: stranger.log }), {
    delivered: 1,
  });
});

test('letters that no key opens keep none of the others from being sealed again', async (t) => {
  const folder = new MemoryFolder();
  await stage(directoryBox(folder, MIB), fixedSecret('forgotten')).letters.put(letterOf());
  const secret = { current: 'one', accepted: ['one'], renew: async () => {} };
  const { letters, clock } = stage(directoryBox(folder, MIB), secret);
  await clock.advance(1);
  await letters.put(letterOf());
  secret.current = 'two';
  secret.accepted = ['two', 'one'];
  await letters.sealAgain();
  const later = stage(directoryBox(folder, MIB), fixedSecret('two'));
  const retried = await retryLetters({ letters: later.letters, sinks: [new TestSink()], log: later.log });
  t.like(retried, { delivered: 1, unreadable: 1 });
});

test('a process that starts after a change of the key seals again what the one before left, and nothing else', async (t) => {
  const folder = new MemoryFolder();
  const box = directoryBox(folder, MIB);
  await stage(box, fixedSecret('one')).letters.put(letterOf());
  await stage(box, fixedSecret('two')).letters.put(letterOf());
  const replaced: string[] = [];
  const watched: LetterBox = {
    ...box,
    replace: (name, bytes) => {
      replaced.push(name);
      return box.replace(name, bytes);
    },
  };
  const secret = { current: 'two', accepted: ['two', 'one'], renew: async () => {} };
  const next = stage(watched, secret);
  await next.letters.sealAgain();
  await next.letters.sealAgain();
  t.is(replaced.length, 1);
  const later = stage(box, fixedSecret('two'));
  const retried = await retryLetters({ letters: later.letters, sinks: [new TestSink()], log: later.log });
  t.like(retried, { delivered: 2, unreadable: 0 });
});

test.serial('letters in S3 are readable from any instance, and a bucket that fails is tried again', async (t) => {
  const server = await s3Server();
  t.teardown(server.close);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: server.url,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
  const at = s3PlaceOf('s3://letters/stack/dead');
  t.deepEqual(at, { bucket: 'letters', prefix: 'stack/dead/' });
  const boxOf = () => s3Box(at as NonNullable<typeof at>, 'us-east-1', systemClock);
  const { letters, clock, of } = stage(boxOf());
  const sent = [1, 2, 3].map((nth) => letterOf(nth));
  for (const letter of sent) {
    t.is(await letters.put(letter), 'kept');
    await clock.advance(1);
  }
  t.true([...server.objects.keys()].every((key) => key.startsWith('/letters/stack/dead/0')));
  for (const bytes of server.objects.values()) t.false(bytes.includes('planted'));
  const other = stage(boxOf());
  t.is((await other.letters.names()).length, 3);
  t.is(await other.letters.read('none'), undefined);
  const sink = new TestSink();
  t.like(await retryLetters({ letters: other.letters, sinks: [sink], log: other.log }), { delivered: 3 });
  t.deepEqual(
    sink.batches,
    sent.map(({ batch }) => batch),
  );
  t.is(server.objects.size, 0);
  server.fault.status = 403;
  t.is(await letters.put(letterOf()), 'failed');
  t.is(await letters.put(letterOf()), 'failed');
  t.is(of('results.letters-failing').length, 1);
  server.fault.status = 0;
  t.is(await letters.put(letterOf()), 'kept');
  t.is(of('results.letters-recovered').length, 1);
});

test('a place for dead letters is an s3:// URL', (t) => {
  t.deepEqual(s3PlaceOf('s3://a-bucket'), { bucket: 'a-bucket', prefix: '' });
  t.deepEqual(s3PlaceOf('s3://a-bucket/x/'), { bucket: 'a-bucket', prefix: 'x/' });
  for (const wrong of ['', 'a-bucket', 'https://a-bucket/x', 's3://A/', 's3://a', 's3://a-bucket/x?y'])
    t.is(s3PlaceOf(wrong), undefined, wrong);
});
