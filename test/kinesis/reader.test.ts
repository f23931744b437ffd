import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import test from 'ava';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import type { Media, MediaSource, Start } from '../../daemon/kinesis/media-source.ts';
import { readContact } from '../../daemon/kinesis/reader.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { createLog } from '../../daemon/log/log.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { bodyOf } from './http/body.ts';
import { block, CONTACT, fragment, type TestFragment } from './stream.ts';
import { unobserved } from './unobserved.ts';

/** How a scripted connection goes on once its fragments are delivered; `repeats`: the last one comes on and on. */
type Ending = 'ends' | 'breaks' | 'hangs' | 'repeats';
type Connection = { fragments?: readonly TestFragment[]; ending?: Ending } | Error;

function media({ fragments = [], ending = 'ends' }: Exclude<Connection, Error>): Media {
  const closed = Promise.withResolvers<void>();
  let isClosed = false;
  void closed.promise.then(() => {
    isClosed = true;
  });
  async function* bytes() {
    for (const one of fragments) yield fragment(one);
    const last = fragments.at(-1);
    for (let number = Number(last?.number); ending === 'repeats' && !isClosed; number++) {
      await turnOfTheLoop();
      if (last) yield fragment({ ...last, number });
    }
    if (ending === 'breaks') throw new Error('socket hang up');
    if (ending === 'hangs') await closed.promise;
  }
  return { requestId: 'r', body: bodyOf(bytes()), close: () => closed.resolve() };
}

/** Reads a contact across scripted connections; the last one comes again and again. */
async function read(
  first: Exclude<Connection, Error>,
  later: Connection[] = [{}],
  signal = new AbortController().signal,
) {
  const asked: Start[] = [];
  const kinesis: MediaSource = {
    getMedia: async (_arn, start) => {
      asked.push(start);
      const next = later[Math.min(asked.length - 1, later.length - 1)] as Connection;
      if (next instanceof Error) throw next;
      return media(next);
    },
  };
  const settings = { callEndGraceMs: 1000, readStallMs: 10_000, rotateAfterMs: 600_000 };
  const seeds: string[] = [];
  const forward = (blocks: readonly AudioBlock[]) => {
    seeds.push(...blocks.map(({ pcm }) => Buffer.from(pcm).toString('hex')));
    return undefined;
  };
  const options = { ...unobserved, forward, clock: systemClock, log: createLog('silent'), signal, settings };
  return { end: await readContact(media(first), CONTACT, kinesis, options), seeds, asked };
}

const payloads = (...seeds: number[]) => seeds.map((seed) => Buffer.from(block(seed).pcm).toString('hex'));

test('an ended body is not an ended call: it reads on with the continuation token', async (t) => {
  const { end, seeds, asked } = await read({ fragments: [{ number: 1 }] }, [{ fragments: [{ number: 2 }] }, {}]);
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, payloads(1, 2));
  t.like(asked[0], { fragmentNumber: '1', continuationToken: '1' });
  t.like(asked[1], { fragmentNumber: '2', continuationToken: '2' });
  t.true(asked.length >= 3, 'looked for at least twice more');
});

test('before any fragment of the contact it asks anew from where the call began', async (t) => {
  const { asked } = await read({ fragments: [{ number: 1, contactId: 'another' }] });
  t.like(asked[0], { fragmentNumber: '0' });
});

test('a broken connection and a refusal that passes are got over', async (t) => {
  const throttled = new KinesisRefused('ClientLimitExceededException', 'too often', undefined);
  const { end, seeds } = await read({ fragments: [{ number: 1 }], ending: 'breaks' }, [
    throttled,
    { fragments: [{ number: 2 }], ending: 'breaks' },
    {},
  ]);
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, payloads(1, 2));
});

test('a connection that gives nothing any more is given up', async (t) => {
  const { end, seeds } = await read({ fragments: [{ number: 1 }], ending: 'hangs' }, [
    { fragments: [{ number: 2 }], ending: 'hangs' },
    { ending: 'hangs' },
  ]);
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, payloads(1, 2));
});

test('the next contact on the stream ends the call at once', async (t) => {
  const { end, seeds, asked } = await read({
    fragments: [{ number: 1 }, { number: 2, contactId: 'another' }],
    ending: 'hangs',
  });
  t.is(end, 'next-contact');
  t.deepEqual(seeds, payloads(1));
  t.deepEqual(asked, []);
});

test('a stream that goes on for ever with fragments that name nobody ends the call as silence does', async (t) => {
  const nobody = { fragments: [{ number: 2, contactId: '' }], ending: 'repeats' } as const;
  const { end, seeds, asked } = await read({ ...nobody, fragments: [{ number: 1 }, ...nobody.fragments] }, [nobody]);
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, payloads(1));
  t.true(asked.length >= 2, 'looked for at least twice more');
});

test('a stream on which nobody is ever named ends the reading too', async (t) => {
  const nobody = { fragments: [{ number: 1, contactId: '' }], ending: 'repeats' } as const;
  const { end, seeds } = await read(nobody, [nobody]);
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, []);
});

test('fragments that name nobody in the middle of a call do not end it', async (t) => {
  const { end, seeds, asked } = await read({
    fragments: [{ number: 1 }, { number: 2, contactId: '' }, { number: 3, contactId: '' }, { number: 4 }],
  });
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, payloads(1, 4));
  t.like(asked[0], { fragmentNumber: '4' });
});

test('a stream that is gone for good ends the reading with the reason', async (t) => {
  const gone = new KinesisRefused('ResourceNotFoundException', 'no such stream', undefined);
  const error = await t.throwsAsync(read({ fragments: [{ number: 1 }] }, [gone]), { instanceOf: KinesisRefused });
  t.is(error?.awsName, 'ResourceNotFoundException');
});

test('told to stop, it stops though the connection is open', async (t) => {
  const stop = new AbortController();
  const reading = read({ fragments: [{ number: 1 }], ending: 'hangs' }, [{}], stop.signal);
  setImmediate(() => stop.abort());
  t.is((await reading).end, 'stopped');
});
