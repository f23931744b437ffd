import test from 'ava';
import { ContactFilter, type DiscardReason } from '../../../daemon/kinesis/filter/contact-filter.ts';
import { Demuxer } from '../../../daemon/matroska/demuxer.ts';
import { AGENT_TRACK, block, CONTACT, CUSTOMER_TRACK, fragment, OURS, type TestFragment } from '../stream.ts';

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

test('a fragment without a ContactId is withheld and reported', (t) => {
  const { connection, discarded } = filtering();
  t.deepEqual(connection([{ number: 1 }, { number: 2, contactId: '' }, { number: 3 }]), [1, 3]);
  t.deepEqual(discarded, ['no-contact-id']);
});

test('once a fragment has named two contacts, nothing of it is forwarded, whichever came first', (t) => {
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
