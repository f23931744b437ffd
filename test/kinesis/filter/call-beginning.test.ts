import test from 'ava';
import { CallBeginning } from '../../../daemon/kinesis/filter/call-beginning.ts';

/** The SegmentUID of the call's fragments. */
const RUN = 'ab'.repeat(16);
const BEGAN_MS = 1_700_000_000_000;
const byNumber = { isCallStart: true, fragmentNumber: '100', atEpochMs: undefined } as const;
/** A first fragment of the call that begins at that time. */
const firstAt = (producerEpochMs: number, number = '200') => ({ number, producerEpochMs, segmentUid: RUN });
/** Ten seconds before StartTimestamp. */
const byTime = { ...byNumber, atEpochMs: BEGAN_MS - 10_000 } as const;

test('a call read by number is read again from before its first fragment, twice at most', (t) => {
  const beginning = new CallBeginning(byNumber);
  beginning.noteNumber('102');
  t.is(beginning.rewindFrom(BEGAN_MS), BEGAN_MS - 10_000);
  beginning.noteNumber('101');
  t.is(beginning.rewindFrom(BEGAN_MS - 12_000), BEGAN_MS - 72_000, 'that fragment contains the requested time');
  t.is(beginning.rewindFrom(BEGAN_MS - 80_000), undefined);
});

test('after the first rewind nothing is skipped if the first fragment begins after the requested time', (t) => {
  const beginning = new CallBeginning(byNumber);
  beginning.rewindFrom(BEGAN_MS);
  t.is(beginning.rewindFrom(BEGAN_MS), undefined);
});

test('nothing is skipped once a fragment up to the named one has arrived, or one of another contact', (t) => {
  for (const number of ['99', '100']) {
    const beginning = new CallBeginning(byNumber);
    beginning.noteNumber(number);
    t.is(beginning.rewindFrom(BEGAN_MS), undefined, number);
  }
  const beginning = new CallBeginning(byNumber);
  beginning.noteOther();
  t.is(beginning.rewindFrom(BEGAN_MS), undefined);
});

test('a call read from before its StartTimestamp is read once', (t) => {
  const beginning = new CallBeginning(byTime);
  beginning.noteNumber('101');
  t.is(beginning.rewindFrom(BEGAN_MS), undefined);
});

test('a StartTimestamp that is too late is noticed, whether the stream begins at that time or after it', (t) => {
  for (const firstMs of [BEGAN_MS - 10_500, BEGAN_MS - 9500]) {
    const beginning = new CallBeginning(byTime);
    beginning.noteNumber('101');
    t.is(beginning.rewindFrom(firstMs), firstMs - 10_000);
    t.is(beginning.rewindFrom(firstMs - 9999), undefined, 'that time is the producer’s');
  }
});

test('a call that was looked for by number is read again from before its first fragment, whatever its StartTimestamp', (t) => {
  const beginning = new CallBeginning({ ...byTime, atEpochMs: BEGAN_MS - 60_000 });
  beginning.isByNumber = true;
  beginning.noteNumber('102');
  t.is(beginning.rewindFrom(BEGAN_MS), BEGAN_MS - 10_000);
});

test('a call whose beginning the stream no longer has is missing it', (t) => {
  const beginning = new CallBeginning(byTime);
  t.is(beginning.missedMs(firstAt(BEGAN_MS + 30_000)), 30_000);
  t.is(beginning.missedMs(firstAt(BEGAN_MS + 1000)), 0, 'a flow takes a moment');
  t.is(new CallBeginning(byNumber).missedMs(firstAt(BEGAN_MS)), 0, 'not known');
  beginning.noteNumber('100');
  t.is(beginning.missedMs(firstAt(BEGAN_MS + 30_000)), 0);
});

test('withheld fragments without a ContactId are missing of the call, from its number on and in its run', (t) => {
  const beginning = new CallBeginning(byNumber);
  beginning.noteWithheld('99', RUN, 1000);
  beginning.noteWithheld('100', 'another run', 1000);
  t.is(beginning.missedMs(firstAt(BEGAN_MS)), 0);
  beginning.noteWithheld('100', RUN, 1024);
  beginning.noteWithheld('101', RUN, 1000);
  beginning.noteWithheld('101', RUN, 1000);
  t.is(beginning.missedMs(firstAt(BEGAN_MS)), 2024, 'each once, however often the stream is read');
  t.is(beginning.missedMs(firstAt(BEGAN_MS, '101')), 1024, 'a part of the first one is in it');
  beginning.noteOther();
  t.is(beginning.missedMs(firstAt(BEGAN_MS)), 0, 'they were of the contact before');
});
