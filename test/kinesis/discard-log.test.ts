import test from 'ava';
import { DiscardLog } from '../../daemon/kinesis/discard-log.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

test('of 100,000 discards in 25 s each reason is logged every 10 s, with the number of lines left out', async (t) => {
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const discards = new DiscardLog(log, clock);
  for (let tenth = 0; tenth < 250; tenth++) {
    for (let i = 0; i < 200; i++) {
      discards.discarded('corrupt', 'bytes that are no EBML');
      discards.discarded('no-contact-id', 'fragment 1');
    }
    await clock.advance(100);
  }
  const suppressed = (why: string) =>
    of('kinesis.discarded')
      .filter((line) => line['why'] === why)
      .map((line) => line['suppressed']);
  t.deepEqual(suppressed('corrupt'), [0, 19_999, 19_999]);
  t.deepEqual(suppressed('no-contact-id'), [0, 19_999, 19_999]);
  t.is(of('kinesis.discarded').length, 6);
});
