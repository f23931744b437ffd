import test from 'ava';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import type { Contact } from '../../daemon/kinesis/contact.ts';
import { readContact } from '../../daemon/kinesis/reader.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { errorChunk } from '../simulators/kinesis-video/mkv.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { ExactTimers } from './exact-timers.ts';
import { type Answer, type Connection, inOrder, ScriptedKinesis } from './scripted-kinesis.ts';
import { block, CONTACT, fragment } from './stream.ts';
import { unobserved } from './unobserved.ts';

/** The defaults. */
const SETTINGS = { callEndGraceMs: 15_000, rotateAfterMs: 40 * 60_000 };
/** The SegmentUID of another run of the producer. */
const OTHER_UID = 'ff'.repeat(16);
/** Longer than any reading here. */
const LONGEST_MS = 2 * 3_600_000;
const seedOf = new Map(Array.from({ length: 10_000 }, (_, seed) => [hex(block(seed).pcm), seed]));

function hex(pcm: Uint8Array): string {
  return Buffer.from(pcm).toString('hex');
}

/** Reads a contact in virtual time. The first answer is the session's first connection. */
function read(
  answer: (clock: VirtualClock) => Answer,
  forward = (): Promise<void> | undefined => undefined,
  contact: Contact = CONTACT,
  timersOf: (clock: VirtualClock) => TimerWheel = (clock) => new ExactTimers(clock),
  isByNumber = false,
) {
  const clock = new VirtualClock({ nowMs: 0 });
  const kinesis = new ScriptedKinesis(clock, answer(clock));
  const stop = new AbortController();
  const seeds: (number | undefined)[] = [];
  const lost: [cause: string, ms: number][] = [];
  const troubles: string[] = [];
  const options = {
    ...unobserved,
    forward(blocks: readonly AudioBlock[]) {
      for (const { pcm } of blocks) seeds.push(seedOf.get(hex(pcm)));
      return forward();
    },
    onLost: (cause: string, ms: number) => lost.push([cause, ms]),
    onTrouble: (cause: string) => troubles.push(cause),
    timers: timersOf(clock),
    signal: stop.signal,
    settings: SETTINGS,
  };
  const reading = (async () => {
    const { fragmentNumber } = contact.start;
    const start = isByNumber ? { fragmentNumber } : contact.start;
    const first = await kinesis.getMedia(contact.streamArn, start, stop.signal);
    const end = await readContact({ ...first, isByNumber }, contact, kinesis, options);
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
  return { clock, kinesis, stop, seeds, lost, troubles, result, starts };
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

test('time in which the process stands still is not silence: what came meanwhile is read', async (t) => {
  for (const nextSends of [[{ number: 3 }], [1900, { number: 3 }]]) {
    const { clock, result, seeds } = read(
      connections(
        { sends: [{ number: 1 }, 1000, { number: 2 }], ending: 'hangs' },
        { ending: 'ends' },
        { sends: nextSends, ending: 'hangs' },
        { ending: 'hangs' },
      ),
      undefined,
      CONTACT,
      (clock) => new TimerWheel(clock, () => 0),
    );
    await clock.advance(2000);
    clock.stall(18_000);
    t.is((await result()).end, 'no-more-fragments');
    t.deepEqual(seeds, [1, 2, 3]);
  }
});

test('a connection that is held back and then breaks leaves the whole grace period', async (t) => {
  const free = Promise.withResolvers<void>();
  let isHeld = false;
  const forward = () => {
    if (isHeld) return undefined;
    isHeld = true;
    return free.promise;
  };
  const { clock, result, seeds } = read(
    connections({ sends: [{ number: 1 }], ending: 'breaks' }, {}, {}, { sends: [9000, { number: 2 }] }, {}),
    forward,
  );
  await clock.advance(60_000);
  free.resolve();
  t.is((await result()).end, 'no-more-fragments');
  t.deepEqual(seeds, [1, 2]);
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

/** Answers like a stream that is in trouble until a time. */
function troubledUntil(untilMs: number, errorId: number | undefined, text: string | null = 'trouble') {
  return (clock: VirtualClock): Answer => {
    const well = inOrder(clock, [{ sends: [{ number: 2 }] }, {}]);
    let wellConnections = 0;
    return async function* (start, nth, signal) {
      if (nth === 0) yield fragment({ number: 1 });
      else if (clock.now() < untilMs) yield errorChunk('2', errorId, text ?? undefined);
      else yield* await well(start, wellConnections++, signal);
    };
  };
}

for (const errorId of [3002, 5000, 9999]) {
  test(`error ${errorId} inside the stream for longer than the grace period is waited out`, async (t) => {
    for (const untilMs of [1000, 20_000, 4 * 60_000]) {
      const { result, seeds } = read(troubledUntil(untilMs, errorId));
      t.is((await result()).end, 'no-more-fragments');
      t.deepEqual(seeds, [1, 2]);
    }
  });
}

test('an error inside the stream without its id, or without its text, is an error', async (t) => {
  for (const [errorId, text] of [
    [undefined, 'INTERNAL_ERROR'],
    [undefined, '5000'],
    [5000, null],
  ] as const) {
    const { result, seeds } = read((clock) => troubledUntil(20_000, errorId, text)(clock));
    t.is((await result()).end, 'no-more-fragments');
    t.deepEqual(seeds, [1, 2]);
  }
  const gone = read(
    () =>
      async function* (start, nth) {
        if (nth === 0) yield fragment({ number: 1, producerMs: 5000 });
        else if (!('atEpochMs' in start)) yield errorChunk('2', undefined, '4000');
        else if (nth === 2) yield fragment({ number: 3, producerMs: 7000 });
      },
  );
  await gone.result();
  t.deepEqual(gone.seeds, [1, 3]);
});

test('an error inside the stream that lasts for five minutes fails the session', async (t) => {
  const { result, clock, kinesis } = read(troubledUntil(Infinity, 5000));
  const error = await t.throwsAsync(result(), { instanceOf: KinesisRefused });
  t.regex(error?.message ?? '', /5000 trouble/);
  t.true(kinesis.requests.length < 400, `${kinesis.requests.length} requests: with backoff`);
  t.true(clock.now() > 5 * 60_000);
});

for (const body of ['{"message":"upstream connect error"}', 'no healthy upstream', '\0\0\0\0']) {
  test(`an answer that is no Matroska (${JSON.stringify(body)}) is no end of the call`, async (t) => {
    const answeredUntil = (untilMs: number) => (clock: VirtualClock) => {
      const well = inOrder(clock, [{ sends: [{ number: 2 }] }, {}]);
      let wellConnections = 0;
      const answer: Answer = async function* (start, nth, signal) {
        if (nth === 0) yield fragment({ number: 1 });
        else if (clock.now() < untilMs) yield Buffer.from(body);
        else yield* await well(start, wellConnections++, signal);
      };
      return answer;
    };
    const passing = read(answeredUntil(60_000));
    t.is((await passing.result()).end, 'no-more-fragments');
    t.deepEqual(passing.seeds, [1, 2]);
    const error = await t.throwsAsync(read(answeredUntil(Infinity)).result(), { instanceOf: KinesisRefused });
    t.is(error?.awsName, 'NotAStream');
  });
}

test('a stream that begins with corrupt bytes is a stream', async (t) => {
  const bytes = Buffer.concat([Buffer.alloc(10), fragment({ number: 2 })]);
  const { result, seeds } = read(
    () =>
      async function* (_start, nth) {
        if (nth === 0) yield fragment({ number: 1 });
        else if (nth === 1) yield bytes;
      },
  );
  const { end, atMs } = await result();
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, [1, 2]);
  t.true(atMs < 20_000, 'and is not waited for as in an outage');
});

test('after an outage the stream gets the whole grace period again', async (t) => {
  const { result } = read((clock) => {
    const answer = troubledUntil(60_000, 5000)(clock);
    const silent = inOrder(clock, [{}]);
    return (start, nth, signal) => (nth > 0 && clock.now() >= 60_000 ? silent : answer)(start, nth, signal);
  });
  const { end, atMs } = await result();
  t.is(end, 'no-more-fragments');
  t.true(atMs >= 60_000 + 14_000 && atMs < 60_000 + 20_000, `after ${atMs} ms`);
});

for (const errorId of [4000, 3000]) {
  test(`a fragment that is gone (${errorId}) is reported once, however often the stream says so`, async (t) => {
    const { result, seeds, starts, troubles } = read(
      () =>
        async function* (start, nth) {
          if (nth === 0) yield fragment({ number: 1, producerMs: 5000 });
          else if (!('atEpochMs' in start)) yield errorChunk('2', errorId, 'FRAGMENT_NOT_FOUND');
          else if (nth === 2) for (const number of [1, 3]) yield fragment({ number, producerMs: 5000 });
        },
    );
    t.is((await result()).end, 'no-more-fragments');
    t.deepEqual(seeds, [1, 3]);
    t.deepEqual(starts()[1], { atEpochMs: 5000 });
    t.is(troubles.filter((cause) => cause === 'fragment-gone').length, 2, 'after fragment 1, and after fragment 3');
  });
}

test('the last fragment without a ContactId is forwarded when the call ends', async (t) => {
  const untagged = { number: 2, contactId: '' };
  const { result, seeds, lost } = read(connections({ sends: [{ number: 1 }, untagged] }, { sends: [untagged] }, {}));
  t.is((await result()).end, 'no-more-fragments');
  t.deepEqual(seeds, [1, 2]);
  t.deepEqual(lost, []);
});

test('a fragment without a ContactId before the next contact is withheld, and a gap', async (t) => {
  const sends = [{ number: 1 }, { number: 2, contactId: '' }, { number: 3, contactId: 'another' }];
  const { result, seeds, lost } = read(connections({ sends }));
  t.is((await result()).end, 'next-contact');
  t.deepEqual(seeds, [1]);
  t.like(lost, [['withheld-at-end', lost[0]?.[1]]]);
  t.true((lost[0]?.[1] ?? 0) > 0);
});

/** A fragment of half a second of the customer, corrupt from its second half on. */
function halfCorrupt(number: number): Buffer {
  const blocks = numbers(0, 7).map((nth) => ({ track: 1, offsetMs: nth * 64, pcm: Buffer.alloc(1024, nth + 1) }));
  const bytes = fragment({ number, blocks });
  const at = bytes.indexOf(Buffer.alloc(1024, 5));
  bytes.fill(0, at - 10, at);
  return bytes;
}

for (const [followed, next, isCounted] of [
  ['nothing', [], true],
  ['the next contact', [{ number: 3, contactId: 'another' }], true],
  ['itself, whole', [{ number: 2, blocks: numbers(0, 7).map((nth) => block(nth)) }], false],
  ['more of the call, which shows it as a gap', [{ number: 3 }], false],
] as const) {
  test(`what is corrupt of a fragment is ${isCounted ? '' : 'not '}counted when it is followed by ${followed}`, async (t) => {
    const { result, lost } = read(
      () =>
        async function* (_start, nth) {
          if (nth === 0) yield fragment({ number: 1 });
          if (nth < 3) yield halfCorrupt(2);
          if (nth === 2) for (const one of next) yield fragment(one);
        },
    );
    await result();
    const [cause, ms = 0] = lost[0] ?? [];
    t.is(cause, isCounted ? 'withheld-at-end' : undefined);
    // Four blocks of 64 ms, and some bytes of tags.
    if (isCounted) t.true(ms >= 256 && ms < 290, `${ms} ms`);
  });
}

test('the last fragment is a gap if its tracks are not Connect’s', async (t) => {
  const bytes = fragment({ number: 2, blocks: [block(1), block(2, 100)] });
  for (let at = bytes.indexOf('AUDIO_'); at >= 0; at = bytes.indexOf('AUDIO_')) bytes.write('VIDEO_', at);
  const { result, lost } = read(
    () =>
      async function* (_start, nth) {
        if (nth > 0) return;
        yield fragment({ number: 1 });
        yield bytes;
      },
  );
  await result();
  t.deepEqual(lost, [['withheld-at-end', 100.5]]);
});

test('bytes that are always the same do not keep a session running', async (t) => {
  const bytes = fragment({ number: 7 });
  bytes.write('X', bytes.indexOf('FRAGMENT_NUMBER'));
  const { result, seeds, kinesis } = read(
    () =>
      async function* () {
        yield bytes;
      },
  );
  const { end, atMs } = await result();
  t.is(end, 'no-more-fragments');
  t.deepEqual(seeds, [7], 'and are not forwarded again');
  t.true(atMs < 20_000);
  t.true(kinesis.requests.length < 30);
});

test('streaming that was stopped and started again within a call is not a gap', async (t) => {
  const sends = [{ number: 1 }, { number: 2, segmentUid: OTHER_UID }];
  const { result, seeds, troubles } = read(connections({ sends }, {}));
  await result();
  t.deepEqual(seeds, [1, 2]);
  t.deepEqual(troubles, ['not-streamed']);
});

const EPOCH_MS = 1_700_000_000_000;

/** A pooled stream: two fragments of an earlier contact, then three of ours; AfterFragmentNumber is exclusive. */
const pooled: Answer = async function* (start) {
  for (let number = 1; number <= 5; number++) {
    const producerMs = EPOCH_MS + number * 1000;
    const isBefore =
      'atEpochMs' in start && start.atEpochMs !== undefined
        ? producerMs + 1000 <= start.atEpochMs
        : 'fragmentNumber' in start && number <= Number(start.fragmentNumber);
    if (!isBefore) yield fragment({ number, producerMs, contactId: number < 3 ? 'another' : CONTACT.contactId });
  }
};

for (const [what, fragmentNumber] of [
  ['the first fragment', '3'],
  ['the fragment before the first', '2'],
] as const) {
  for (const offsetMs of [undefined, 0, -30_000, 2000, 11_500, 60_000, 3_600_000]) {
    test(`with StartFragmentNumber naming ${what} and StartTimestamp off by ${offsetMs} ms, the call arrives whole`, async (t) => {
      const atEpochMs = offsetMs === undefined ? undefined : EPOCH_MS + 3000 - 10_000 + offsetMs;
      const start = { isCallStart: true, fragmentNumber, atEpochMs } as const;
      const { result, seeds, lost } = read(() => pooled, undefined, { ...CONTACT, start });
      await result();
      t.deepEqual(seeds, [3, 4, 5]);
      t.deepEqual(lost, []);
    });
  }
}

test('a start whose time was refused, so that it began at the number, arrives whole', async (t) => {
  const start = { isCallStart: true, fragmentNumber: '3', atEpochMs: EPOCH_MS + 3000 - 10_000 } as const;
  const { result, seeds, lost } = read(() => pooled, undefined, { ...CONTACT, start }, undefined, true);
  await result();
  t.deepEqual(seeds, [3, 4, 5]);
  t.deepEqual(lost, []);
});

test('a beginning that the stream no longer has is a gap', async (t) => {
  const start = { isCallStart: true, fragmentNumber: '1', atEpochMs: EPOCH_MS - 10_000 } as const;
  const sends = [{ number: 30, producerMs: EPOCH_MS + 30_000 }];
  const { result, seeds, lost } = read(connections({ sends }, {}), () => void t.is(lost.length, 1) as undefined, {
    ...CONTACT,
    start,
  });
  await result();
  t.deepEqual(seeds, [30]);
  t.deepEqual(lost, [['missed-at-start', 30_000]], 'told with the first audio, as a crash may follow');
});

test('a first fragment without a ContactId is withheld, and missing at the start', async (t) => {
  const start = { isCallStart: true, fragmentNumber: '3', atEpochMs: undefined } as const;
  const segmentUid = OTHER_UID;
  const sends = [
    { number: 3, contactId: '', segmentUid, blocks: [block(3), block(4, 1000)] },
    { number: 5, segmentUid },
  ];
  const { result, seeds, lost } = read(connections({ sends }, {}), undefined, { ...CONTACT, start });
  await result();
  t.deepEqual(seeds, [5]);
  t.deepEqual(
    lost.map(([cause, ms]) => [cause, Math.round(ms)]),
    [['missed-at-start', 1001]],
  );
});

test('a start whose first fragment is gone falls back on the time', async (t) => {
  const start = { isCallStart: true, fragmentNumber: '3', atEpochMs: undefined } as const;
  const { result, seeds } = read(
    () => (from, nth, signal) =>
      'fragmentNumber' in from && from.fragmentNumber === '3' && !('atEpochMs' in from && from.atEpochMs !== undefined)
        ? (async function* () {
            yield errorChunk('3', 4000, 'gone');
          })()
        : pooled({ atEpochMs: 0 }, nth, signal),
    undefined,
    { ...CONTACT, start },
  );
  await result();
  t.deepEqual(seeds, [3, 4, 5]);
});

test('a stop during a rotation does not wait for the successor', async (t) => {
  const { result, stop, clock } = read((timers) => {
    const answer = hourLong(timers);
    return (start, nth, signal) => (nth === 0 ? answer(start, nth, signal) : new Promise<never>(() => {}));
  });
  await clock.advance(SETTINGS.rotateAfterMs + 500);
  stop.abort();
  await clock.advance(1000);
  t.like(await result(), { end: 'stopped', atMs: SETTINGS.rotateAfterMs + 500 });
});
