import test from 'ava';
import { GapCauseTracker } from '../../daemon/session/gap-cause.ts';

test('a hole of which nothing was reported is audio that is missing', (t) => {
  t.is(new GapCauseTracker().blame(), 'missing');
});

test('a hole is put down to what was first reported since the stream was whole, once', (t) => {
  const gapCause = new GapCauseTracker();
  gapCause.note('corrupt');
  gapCause.note('no-contact-id');
  t.is(gapCause.blame(), 'corrupt');
  t.is(gapCause.blame(), 'missing');
});

test('what came before the trouble and is whole does not clear it', (t) => {
  const gapCause = new GapCauseTracker();
  gapCause.note('corrupt');
  gapCause.unfounded({ reachMs: 1000, positionMs: 800 });
  gapCause.unfounded({ reachMs: 1000, positionMs: 1000 });
  t.is(gapCause.blame(), 'corrupt');
});

test('trouble after which the call goes on without a hole is not blamed for a later one', (t) => {
  const gapCause = new GapCauseTracker();
  gapCause.note('corrupt');
  gapCause.unfounded({ reachMs: 1000, positionMs: 1000 });
  gapCause.unfounded({ reachMs: 1250, positionMs: 1250 });
  t.is(gapCause.blame(), 'missing');
});
