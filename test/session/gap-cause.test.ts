import test from 'ava';
import { GapCauseTracker } from '../../daemon/session/gap-cause.ts';

test('a gap without reported trouble has the cause `missing`', (t) => {
  t.is(new GapCauseTracker().blame(), 'missing');
});

test('the first report since the stream was intact is the cause of one gap', (t) => {
  const gapCause = new GapCauseTracker();
  gapCause.note('corrupt');
  gapCause.note('no-contact-id');
  t.is(gapCause.blame(), 'corrupt');
  t.is(gapCause.blame(), 'missing');
});

test('audio read before the report does not clear it', (t) => {
  const gapCause = new GapCauseTracker();
  gapCause.note('corrupt');
  gapCause.unfounded({ reachMs: 1000, positionMs: 800 });
  gapCause.unfounded({ reachMs: 1000, positionMs: 1000 });
  t.is(gapCause.blame(), 'corrupt');
});

test('trouble without a gap is not the cause of a later gap', (t) => {
  const gapCause = new GapCauseTracker();
  gapCause.note('corrupt');
  gapCause.unfounded({ reachMs: 1000, positionMs: 1000 });
  gapCause.unfounded({ reachMs: 1250, positionMs: 1250 });
  t.is(gapCause.blame(), 'missing');
});
