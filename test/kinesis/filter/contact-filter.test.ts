import test from 'ava';
import { ContactFilter, type DiscardReason } from '../../../daemon/kinesis/filter/contact-filter.ts';
import { Demuxer } from '../../../daemon/matroska/demuxer.ts';
import { producerTags, SEGMENT_UID } from '../../simulators/kinesis-video/mkv.ts';
import {
  AGENT_TRACK,
  block,
  CONTACT,
  CUSTOMER_TRACK,
  fragment,
  longElement,
  OURS,
  type TestFragment,
} from '../stream.ts';

/** A filter that is fed fragments, one connection at a time, and the seeds of the blocks that it forwards. */
function filtering() {
  const discarded: DiscardReason[] = [];
  const filter = new ContactFilter(CONTACT, (why) => discarded.push(why));
  const seedOf = new Map(
    Array.from({ length: 100 }, (_, seed) => [Buffer.from(block(seed).pcm).toString('hex'), seed]),
  );
  /** Feeds one connection, which ends after `bytes` if given. */
  const connection = (fragments: readonly TestFragment[], bytes = Infinity) => {
    const all = Buffer.concat(fragments.map(fragment));
    new Demuxer(filter).push(all.subarray(0, Math.min(bytes, all.length)));
    const seeds = filter.take().map(({ pcm }) => seedOf.get(Buffer.from(pcm).toString('hex')));
    filter.connectionEnded();
    return seeds;
  };
  return { filter, discarded, connection };
}

for (const tagAt of ['before', 'after'] as const) {
  test(`audio is forwarded when its ContactId is ${tagAt} the cluster`, (t) => {
    const { connection, filter } = filtering();
    t.deepEqual(
      connection([
        { number: 1, tagAt },
        { number: 2, tagAt },
      ]),
      [1, 2],
    );
    t.like(filter.position, { fragmentNumber: '2', continuationToken: '2', producerEpochMs: 1 });
  });

  test(`no block of another contact, with its ContactId ${tagAt} the cluster, is forwarded; after ours it ends the call`, (t) => {
    const { connection, filter } = filtering();
    t.deepEqual(
      connection([
        { number: 1, tagAt },
        { number: 2, tagAt, contactId: 'another' },
      ]),
      [1],
    );
    t.true(filter.nextContactBegan);
    t.is(filter.position?.fragmentNumber, '1');
  });
}

test('another contact before ours is skipped', (t) => {
  const { connection, filter } = filtering();
  t.deepEqual(connection([{ number: 1, contactId: 'another' }, { number: 2 }]), [2]);
  t.false(filter.nextContactBegan);
});

const OTHER_UID = 'ff'.repeat(16);

test('a fragment without a ContactId and with another SegmentUID is withheld and reported', (t) => {
  const { connection, discarded } = filtering();
  const untagged = { number: 2, contactId: '', segmentUid: OTHER_UID };
  t.deepEqual(connection([{ number: 1 }, untagged, { number: 3 }]), [1, 3]);
  t.deepEqual(discarded, ['no-contact-id']);
});

test('fragments without a ContactId that continue our run are forwarded', (t) => {
  const untagged = (number: number) => ({ number, contactId: '' });
  const { connection, filter, discarded } = filtering();
  t.deepEqual(connection([{ number: 1 }, untagged(2), untagged(3), { number: 4 }, untagged(5)]), [1, 2, 3, 4]);
  t.is(filter.position?.fragmentNumber, '4', 'the last one is held');
  filter.finish();
  t.is(filter.take().length, 1, 'and forwarded at the end of the call');
  t.is(filter.position?.fragmentNumber, '5');
  t.is(filter.withheldAtEndMs, 0);
  t.deepEqual(discarded, []);
});

for (const [what, next] of [
  ['another contact', { number: 3, contactId: 'another' }],
  ['another run', { number: 3, contactId: '', segmentUid: OTHER_UID }],
] as const) {
  test(`a fragment without a ContactId before ${what} is withheld and counted`, (t) => {
    const { connection, filter, discarded } = filtering();
    t.deepEqual(connection([{ number: 1 }, { number: 2, contactId: '' }, next]), [1]);
    filter.finish();
    t.deepEqual(filter.take(), []);
    t.true(filter.withheldAtEndMs > 0);
    t.true(discarded.includes('no-contact-id'));
  });
}

test('a fragment without a ContactId is withheld if an element in it is too long to be looked at', (t) => {
  for (const [bytes, expected] of [
    [256 * 1024, [1, 2, 3]],
    [256 * 1024 + 1, [1, 3]],
  ] as const) {
    const { connection } = filtering();
    const untagged = { number: 2, contactId: '', beforeCluster: longElement('5faa', bytes) };
    t.deepEqual(connection([{ number: 1 }, untagged, { number: 3 }]), expected);
    t.deepEqual(connection([{ number: 4, beforeCluster: longElement('5faa', bytes) }]), [4], 'one with it is ours');
  }
});

test('a fragment without a ContactId is not ours if none of ours comes before it', (t) => {
  for (const first of [[], [{ number: 1, contactId: 'another' }]]) {
    const { connection, filter } = filtering();
    t.deepEqual(connection([...first, { number: 2, contactId: '' }, { number: 3 }]), [3]);
    t.is(filter.withheldAtEndMs, 0);
  }
});

test('a held fragment that another connection repeats is forwarded once, whichever contact it names then', (t) => {
  for (const [contactId, expected] of [
    ['', [2, 3]],
    [OURS, [2, 3]],
    ['another', []],
  ] as const) {
    const { connection } = filtering();
    t.deepEqual(connection([{ number: 1 }, { number: 2, contactId: '' }]), [1]);
    const third = contactId === 'another' ? contactId : OURS;
    t.deepEqual(
      connection([
        { number: 2, contactId },
        { number: 3, contactId: third },
      ]),
      expected,
      contactId,
    );
  }
});

test('a fragment cut off before its ContactId is never forwarded at the end of the call', (t) => {
  const last = { number: 2, tagAt: 'after', contactId: 'another' } as const;
  const [first, whole] = [fragment({ number: 1 }).length, fragment(last).length];
  for (let bytes = 0; bytes < whole; bytes++) {
    const { connection, filter } = filtering();
    t.deepEqual(connection([{ number: 1 }, last], first + bytes), [1]);
    filter.finish();
    t.deepEqual(filter.take(), [], `cut off after ${bytes} bytes`);
  }
});

test('after a resume from a checkpoint, a fragment without a ContactId needs the SegmentUID of the resume point', (t) => {
  for (const [segmentUid, expected] of [
    [SEGMENT_UID, 1],
    [OTHER_UID, 0],
    [undefined, 0],
  ] as const) {
    const start = { fragmentNumber: '1', continuationToken: undefined, producerEpochMs: undefined, segmentUid };
    const filter = new ContactFilter({ ...CONTACT, start }, () => {});
    new Demuxer(filter).push(fragment({ number: 2, contactId: '' }));
    filter.connectionEnded();
    filter.finish();
    t.is(filter.take().length, expected);
  }
});

test('a second contact in a fragment withholds all that was not forwarded, and does not end the call', (t) => {
  const { connection, filter, discarded } = filtering();
  const mixed = Buffer.concat([
    fragment({ number: 2, blocks: [block(21), block(22)] }),
    producerTags([['ContactId', 'another']]),
  ]);
  t.deepEqual(connection([{ number: 1 }]), [1]);
  new Demuxer(filter).push(Buffer.concat([mixed, fragment({ number: 3 })]));
  t.is(filter.take().length, 1);
  t.deepEqual(discarded, ['two-contacts']);
  t.false(filter.nextContactBegan);
});

test('a Segment without its EBML header, a second fragment number and a second cluster take the ownership back', (t) => {
  const EBML_HEADER_BYTES = 47;
  const other = fragment({ number: 2, contactId: 'another', tagAt: 'after' });
  const clusterAt = other.indexOf(Buffer.from('1f43b675', 'hex'));
  const numberAt = other.indexOf(Buffer.from('1254c367', 'hex'));
  const segmentAt = other.indexOf(Buffer.from('18538067', 'hex'));
  t.true(segmentAt < EBML_HEADER_BYTES + 8);
  for (const lost of [segmentAt, numberAt, clusterAt]) {
    const { filter, connection } = filtering();
    t.deepEqual(connection([]), []);
    new Demuxer(filter).push(Buffer.concat([fragment({ number: 1 }), other.subarray(lost)]));
    t.deepEqual(
      filter.take().map(({ pcm }) => Buffer.from(pcm).equals(Buffer.from(block(1).pcm))),
      [true],
    );
  }
});

test('a fragment without a number is not forwarded twice', (t) => {
  const { filter } = filtering();
  const bytes = fragment({ number: 1 });
  bytes.write('X', bytes.indexOf('FRAGMENT_NUMBER'));
  for (const expected of [1, 0, 0]) {
    new Demuxer(filter).push(bytes);
    t.is(filter.take().length, expected);
    filter.connectionEnded();
  }
});

test('once a fragment has named two contacts, nothing more of it is forwarded, whichever came first', (t) => {
  for (const contacts of [
    ['another', OURS],
    [OURS, 'another'],
  ]) {
    const { filter } = filtering();
    new Demuxer(filter).push(fragment({ number: 1, contactId: '', blocks: [] }));
    filter.track({ number: CUSTOMER_TRACK, name: 'AUDIO_FROM_CUSTOMER' });
    for (const contactId of contacts) filter.tag('ContactId', contactId);
    filter.block(CUSTOMER_TRACK, 0, block(1).pcm);
    t.deepEqual(filter.take(), []);
  }
});

test('blocks waiting for a ContactId are dropped when it is another one', (t) => {
  const { filter } = filtering();
  new Demuxer(filter).push(fragment({ number: 1, tagAt: 'after', contactId: 'another' }));
  filter.tag('ContactId', OURS);
  t.deepEqual(filter.take(), []);
});

test('memory for blocks waiting for a ContactId is bounded', (t) => {
  const { connection, discarded } = filtering();
  const blocks = Array.from({ length: 12 }, () => ({ track: 1, offsetMs: 0, pcm: new Uint8Array(100_000) }));
  t.deepEqual(connection([{ number: 1, tagAt: 'after', blocks }, { number: 2 }]), [2]);
  t.deepEqual(discarded, ['contact-id-too-late']);
});

test('tracks are identified by name, and other tracks are ignored', (t) => {
  const { filter } = filtering();
  new Demuxer(filter).push(
    fragment({ number: 1, blocks: [block(1, 0, AGENT_TRACK), block(2, 0, 9), block(3, 0, CUSTOMER_TRACK)] }),
  );
  t.deepEqual(
    filter.take().map(({ channel }) => channel),
    [1, 0],
  );
});

test('blocks that an earlier connection delivered are not delivered again', (t) => {
  const three = { number: 2, blocks: [block(21), block(22), block(23)] };
  const whole = fragment({ number: 1 }).length + fragment(three).length;
  const later = [three, { number: 3 }];
  // Wherever the first connection breaks, both together deliver each block once.
  for (let bytes = 0; bytes <= whole; bytes++) {
    const { connection, filter } = filtering();
    const first = connection([{ number: 1 }, three], bytes);
    const resumed = filter.position ? later : [{ number: 1 }, ...later];
    const next = filter.position?.fragmentNumber === '2' ? [{ number: 3 }] : resumed;
    t.deepEqual([...first, ...connection(next)], [1, 21, 22, 23, 3], `broken after ${bytes} bytes`);
  }
});

test('a fragment received completely is skipped when it comes again', (t) => {
  const { connection } = filtering();
  t.deepEqual(connection([{ number: 9 }, { number: 10 }]), [9, 10]);
  t.deepEqual(connection([{ number: 9 }, { number: 10 }, { number: 11 }]), [11]);
});

test('a fragment number that corrupt bytes made too large does not silence the rest of the call', (t) => {
  const { connection } = filtering();
  t.deepEqual(
    connection([{ number: 1 }, { number: '999999', blocks: [block(2)] }, { number: 3 }, { number: 4 }]),
    [1, 2, 3, 4],
  );
});

test('an unknown track is reported where one of Connect’s tracks is missing', (t) => {
  const blocks = [block(1), block(2, 0, AGENT_TRACK), block(3, 1), block(4, 1, AGENT_TRACK)];
  const { connection, discarded } = filtering();
  t.deepEqual(connection([{ number: 1, agentTrack: 'of another name', blocks }]), [1, 3]);
  t.deepEqual(discarded, ['corrupt']);
  const third = filtering();
  t.deepEqual(third.connection([{ number: 1, blocks: [block(1), block(2, 0, 3)] }]), [1]);
  t.deepEqual(third.discarded, [], 'a third track does not belong to the call');
});

test('a connection that breaks within the first fragment, before its ContactId, costs nothing', (t) => {
  const start = { isCallStart: true, fragmentNumber: '3', atEpochMs: undefined } as const;
  const missed: number[] = [];
  const filter = new ContactFilter(
    { ...CONTACT, start },
    () => {},
    undefined,
    (ms) => missed.push(ms),
  );
  const first = fragment({
    number: 3,
    tagAt: 'after',
    size: 'unknown',
    blocks: [block(3), block(4, 500), block(5, 1000)],
  });
  new Demuxer(filter).push(first.subarray(0, first.length - 200));
  filter.connectionEnded();
  t.deepEqual(filter.take(), []);
  new Demuxer(filter).push(Buffer.concat([first, fragment({ number: 4 })]));
  t.is(filter.take().length, 4);
  t.deepEqual(missed, []);
});
