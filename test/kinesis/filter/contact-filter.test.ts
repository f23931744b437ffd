import test from 'ava';
import { ContactFilter, type DiscardReason } from '../../../daemon/kinesis/filter/contact-filter.ts';
import { Demuxer } from '../../../daemon/matroska/demuxer.ts';
import { AGENT_TRACK, block, CONTACT, CUSTOMER_TRACK, fragment, OURS, type TestFragment } from '../stream.ts';

/** A filter that is fed fragments, a connection at a time, and what it lets through: the seeds of the blocks. */
function filtering() {
  const withheld: DiscardReason[] = [];
  const filter = new ContactFilter(CONTACT, (why) => withheld.push(why));
  const seedOf = new Map(
    Array.from({ length: 100 }, (_, seed) => [Buffer.from(block(seed).pcm).toString('hex'), seed]),
  );
  /** Feeds one connection, which ends after `bytes` when they are given. */
  const connection = (fragments: readonly TestFragment[], bytes = Infinity) => {
    const all = Buffer.concat(fragments.map(fragment));
    new Demuxer(filter).push(all.subarray(0, Math.min(bytes, all.length)));
    const seeds = filter.take().map(({ pcm }) => seedOf.get(Buffer.from(pcm).toString('hex')));
    filter.connectionEnded();
    return seeds;
  };
  return { filter, withheld, connection };
}

for (const tagAt of ['before', 'after'] as const) {
  test(`audio goes through when its ContactId stands ${tagAt} the cluster`, (t) => {
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

  test(`not a block of another contact goes through, its ContactId ${tagAt} the cluster; after ours it ends the call`, (t) => {
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

test('another contact before ours is passed over', (t) => {
  const { connection, filter } = filtering();
  t.deepEqual(connection([{ number: 1, contactId: 'another' }, { number: 2 }]), [2]);
  t.false(filter.nextContactBegan);
});

test('a fragment that names no contact is withheld, and said to be', (t) => {
  const { connection, withheld } = filtering();
  t.deepEqual(connection([{ number: 1 }, { number: 2, contactId: '' }, { number: 3 }]), [1, 3]);
  t.deepEqual(withheld, ['no-contact-id']);
});

test('of a fragment that names two contacts nothing is forwarded any more, whichever comes first', (t) => {
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

test('blocks that wait for their ContactId are dropped when it is another', (t) => {
  const { filter } = filtering();
  new Demuxer(filter).push(fragment({ number: 1, tagAt: 'after', contactId: 'another' }));
  filter.tag('ContactId', OURS);
  t.deepEqual(filter.take(), []);
});

test('waiting for a ContactId takes bounded memory', (t) => {
  const { connection, withheld } = filtering();
  const blocks = Array.from({ length: 12 }, () => ({ track: 1, offsetMs: 0, pcm: new Uint8Array(100_000) }));
  t.deepEqual(connection([{ number: 1, tagAt: 'after', blocks }, { number: 2 }]), [2]);
  t.deepEqual(withheld, ['contact-id-too-late']);
});

test('tracks are told by their names; a track of another name is left out', (t) => {
  const { filter } = filtering();
  new Demuxer(filter).push(
    fragment({ number: 1, blocks: [block(1, 0, AGENT_TRACK), block(2, 0, 9), block(3, 0, CUSTOMER_TRACK)] }),
  );
  t.deepEqual(
    filter.take().map(({ channel }) => channel),
    [1, 0],
  );
});

test('what an earlier connection delivered of a fragment is not delivered again by the next', (t) => {
  const three = { number: 2, blocks: [block(21), block(22), block(23)] };
  const whole = fragment({ number: 1 }).length + fragment(three).length;
  const later = [three, { number: 3 }];
  // Wherever the first connection breaks: together both deliver each block once.
  for (let bytes = 0; bytes <= whole; bytes++) {
    const { connection, filter } = filtering();
    const first = connection([{ number: 1 }, three], bytes);
    const resumed = filter.position ? later : [{ number: 1 }, ...later];
    const next = filter.position?.fragmentNumber === '2' ? [{ number: 3 }] : resumed;
    t.deepEqual([...first, ...connection(next)], [1, 21, 22, 23, 3], `broken after ${bytes} bytes`);
  }
});

test('a fragment that comes again after it was had in whole is left out', (t) => {
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
