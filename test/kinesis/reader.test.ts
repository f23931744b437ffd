import test from 'ava';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { readContact } from '../../daemon/kinesis/reader.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { ExactTimers } from './exact-timers.ts';
import { type Answer, type Connection, inOrder, ScriptedKinesis } from './scripted-kinesis.ts';
import { block, CONTACT, fragment } from './stream.ts';
import { unobserved } from './unobserved.ts';

/** The defaults. */
const SETTINGS = { callEndGraceMs: 15_000, readStallMs: 10_000, rotateAfterMs: 40 * 60_000 };
/** The SegmentUID of another run of the producer. */
const OTHER_UID = 'ff'.repeat(16);
/** Longer than any reading here. */
const LONGEST_MS = 2 * 3_600_000;
const seedOf = new Map(Array.from({ length: 10_000 }, (_, seed) => [hex(block(seed).pcm), seed]));

function hex(pcm: Uint8Array): string {
  return Buffer.from(pcm).toString('hex');
}

/** Reads a contact in virtual time. The first answer is the session's first connection. */
function read(answer: (clock: VirtualClock) => Answer, forward = (): Promise<void> | undefined => undefined) {
  const clock = new VirtualClock({ nowMs: 0 });
  const kinesis = new ScriptedKinesis(clock, answer(clock));
  const stop = new AbortController();
  const seeds: (number | undefined)[] = [];
  const options = {
    ...unobserved,
    forward(blocks: readonly AudioBlock[]) {
      for (const { pcm } of blocks) seeds.push(seedOf.get(hex(pcm)));
      return forward();
    },
    timers: new ExactTimers(clock),
    signal: stop.signal,
    settings: SETTINGS,
  };
  const reading = (async () => {
    const first = await kinesis.getMedia(CONTACT.streamArn, CONTACT.start, stop.signal);
    const end = await readContact(first, CONTACT, kinesis, options);
    return { end, atMs: clock.now() };
  })();
  /** Lets time pass until the reading is over, and checks that it leaves nothing behind. */
  const result = async () => {
    void reading.catch(() => {});
    await clock.advance(LONGEST_MS);
    if (kinesis.open > 0) throw new Error(`${kinesis.open} connections were left open`);
    return reading;
  };
  const starts = () => kinesis.requests.slice(1).map(({ start }) => start);
  return { clock, kinesis, stop, seeds, result, starts };
}

/** One connection after the other; the last one again and again. */
const connections =
  (...all: (Connection | Error)[]) =>
  (clock: VirtualClock) =>
    inOrder(clock, all);
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('an ended body is not an ended call: the reader resumes with the continuation token', async (t) => {
  const { result, seeds, starts } = read(connections({ sends: [{ number: 1 }] }, { sends: [{ number: 2 }] }, {}));
  t.is((await result()).end, 'no-more-fragments');
  t.deepEqual(seeds, [1, 2]);
  t.like(starts()[0], { fragmentNumber: '1', continuationToken: '1' });
  t.like(starts()[1], { fragmentNumber: '2', continuationToken: '2' });
  t.true(starts().length >= 3, 'at least two more attempts');
});

test('before the first fragment of the contact, it resumes at the beginning of the call', async (t) => {
  const { result, starts } = read(connections({ sends: [{ number: 1, contactId: 'another' }] }, {}));
  await result();
  t.like(starts()[0], { fragmentNumber: '0' });
});

test('the call ends after CALL_END_GRACE_MS without fragments, whether connections end or hang', async (t) => {
  for (const ending of ['ends', 'hangs'] as const) {
    const { result, seeds, starts } = read(connections({ sends: [5000, { number: 1 }], ending }, { ending }));
    const { end, atMs } = await result();
    t.is(end, 'no-more-fragments');
    t.deepEqual(seeds, [1]);
    t.true(atMs >= 20_000 && atMs <= 22_000, `${ending}: after ${atMs} ms`);
    t.true(starts().length >= 2, 'at least two more attempts');
  }
});

test('a fragment on the last attempt continues the call', async (t) => {
  const { result, seeds } = read(
    connections({ sends: [{ number: 1 }], ending: 'hangs' }, { ending: 'hangs' }, { sends: [3000, { number: 2 }] }, {}),
  );
  const { atMs } = await result();
  t.deepEqual(seeds, [1, 2]);
  t.true(atMs > 25_000, 'and the grace period begins again');
});

test('a connection without data for READ_STALL_MS is replaced', async (t) => {
  const { result, seeds, kinesis } = read(
    connections({ sends: [{ number: 1 }], ending: 'hangs' }, { sends: [{ number: 2 }], ending: 'hangs' }, {}),
  );
  await result();
  t.deepEqual(seeds, [1, 2]);
  // READ_STALL_MS, but no more than half the grace period.
  t.is(kinesis.requests[1]?.atMs, 7500);
});

test('after new audio, a connection may be silent for READ_STALL_MS again', async (t) => {
  const { result, seeds, kinesis } = read(
    connections(
      { sends: [{ number: 1 }], ending: 'hangs' },
      { sends: [1000, { number: 2 }, 7000, { number: 3 }], ending: 'hangs' },
      { ending: 'hangs' },
    ),
  );
  await result();
  t.deepEqual(seeds, [1, 2, 3]);
  t.is(kinesis.requests[2]?.atMs, 7500 + 8000 + 7500);
});

test('back-pressure is not silence: a stream held back for a minute continues', async (t) => {
  const HELD_MS = 60_000;
  let isHeld = false;
  const untagged = { number: 2, contactId: '', segmentUid: OTHER_UID };
  const sends = [{ number: 1 }, untagged, { ...untagged, number: 3 }, { number: 4 }];
  const { result, seeds, clock, starts } = read(connections({ sends }, {}), () => {
    if (isHeld) return undefined;
    isHeld = true;
    return clock.sleep(HELD_MS);
  });
  const { atMs } = await result();
  t.deepEqual(seeds, [1, 4]);
  t.like(starts()[0], { fragmentNumber: '4' });
  t.true(atMs >= HELD_MS + SETTINGS.callEndGraceMs);
});

test('a broken connection and a transient refusal lose nothing', async (t) => {
  const throttled = new KinesisRefused('ClientLimitExceededException', 'too often', undefined);
  const { result, seeds } = read(
    connections(
      { sends: [{ number: 1 }], ending: 'breaks' },
      throttled,
      { sends: [{ number: 2 }], ending: 'breaks' },
      {},
    ),
  );
  t.is((await result()).end, 'no-more-fragments');
  t.deepEqual(seeds, [1, 2]);
});

test('the next contact on the stream ends the call at once', async (t) => {
  const sends = [{ number: 1 }, { number: 2, contactId: 'another' }];
  const { result, seeds, starts } = read(connections({ sends, ending: 'hangs' }));
  t.deepEqual(await result(), { end: 'next-contact', atMs: 0 });
  t.deepEqual(seeds, [1]);
  t.deepEqual(starts(), []);
});

test('a stream that continues with fragments of another run without a ContactId ends the call, as silence does', async (t) => {
  const untagged = { number: 2, contactId: '', segmentUid: OTHER_UID };
  const { result, seeds, starts } = read(
    connections({ sends: [{ number: 1 }, untagged], ending: 'repeats' }, { sends: [untagged], ending: 'repeats' }),
  );
  const { end, atMs } = await result();
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, [1]);
  t.true(atMs >= 15_000 && atMs <= 18_000, `after ${atMs} ms`);
  t.true(starts().length >= 2, 'at least two more attempts');
});

test('a stream without any ContactId ends the reading too', async (t) => {
  const untagged = { sends: [{ number: 1, contactId: '' }], ending: 'repeats' } as const;
  const { result, seeds } = read(connections(untagged));
  t.is((await result()).end, 'no-more-fragments');
  t.deepEqual(seeds, []);
});

test('fragments of another run without a ContactId in the middle of a call do not end it', async (t) => {
  const untagged = { contactId: '', segmentUid: OTHER_UID };
  const sends = [{ number: 1 }, { number: 2, ...untagged }, { number: 3, ...untagged }, { number: 4 }];
  const { result, seeds, starts } = read(connections({ sends }, {}));
  t.is((await result()).end, 'no-more-fragments');
  t.deepEqual(seeds, [1, 4]);
  t.like(starts()[0], { fragmentNumber: '4' });
});

test('a permanent refusal ends the reading with its reason', async (t) => {
  const gone = new KinesisRefused('ResourceNotFoundException', 'no such stream', undefined);
  const { result } = read(connections({ sends: [{ number: 1 }] }, gone));
  t.is(await t.throwsAsync(result()), gone);
});

test('an error while forwarding ends the reading and closes the connection', async (t) => {
  const fault = new Error('cannot take it');
  const { result } = read(connections({ sends: [{ number: 1 }], ending: 'hangs' }), () => {
    throw fault;
  });
  t.is(await t.throwsAsync(result()), fault);
});

test('a stop ends the reading though the connection is open', async (t) => {
  const { result, stop, clock } = read(connections({ sends: [{ number: 1 }], ending: 'hangs' }));
  await clock.advance(3000);
  stop.abort();
  t.deepEqual(await result(), { end: 'stopped', atMs: 3000 });
});

test('a stop ends the reading while it waits to retry', async (t) => {
  const throttled = new KinesisRefused('ClientLimitExceededException', 'too often', undefined);
  const { result, stop, clock } = read(connections({ sends: [{ number: 1 }] }, throttled));
  await clock.advance(60_000);
  stop.abort();
  t.deepEqual(await result(), { end: 'stopped', atMs: 60_000 });
});

/** A call of an hour with a fragment a second; a GetMedia returns those after the requested one, as they come. */
function hourLong(clock: VirtualClock): Answer {
  return async function* (start) {
    const after = 'fragmentNumber' in start ? Number(start.fragmentNumber) : 0;
    for (let number = after + 1; number <= 3600; number++) {
      const leftMs = number * 1000 - clock.now();
      if (leftMs > 0) await clock.sleep(leftMs);
      yield fragment({ number });
    }
  };
}

test('a connection is replaced after 40 minutes without losing or repeating a fragment', async (t) => {
  const { result, seeds, kinesis, clock } = read(hourLong);
  await clock.advance(40 * 60_000 + 5000);
  t.is(kinesis.open, 1, 'the old one is closed');
  await result();
  t.deepEqual(seeds, numbers(1, 3600));
  t.is(kinesis.mostOpen, 2);
  t.is(kinesis.requests[1]?.atMs, 40 * 60_000);
});

test('a refused successor is requested again while the old connection continues', async (t) => {
  const refused = new KinesisRefused('ConnectionLimitExceededException', 'too many', undefined);
  const { result, seeds, kinesis } = read((clock) => {
    const answer = hourLong(clock);
    return (start, nth, signal) => {
      if (nth === 1) throw refused;
      return answer(start, nth, signal);
    };
  });
  await result();
  t.deepEqual(seeds, numbers(1, 3600));
  t.deepEqual(
    kinesis.requests.slice(1, 3).map(({ atMs }) => atMs),
    [40 * 60_000, 40 * 60_000 + 10_000],
  );
});
