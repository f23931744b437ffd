import test from 'ava';
import { Suspicion } from '../../daemon/session/gap-cause.ts';

test('a hole of which nothing was reported is audio that is missing', (t) => {
  t.is(new Suspicion().blame(), 'missing');
});

test('a hole is put down to what was first reported since the stream was whole, once', (t) => {
  const suspicion = new Suspicion();
  suspicion.note('corrupt');
  suspicion.note('no-contact-id');
  t.is(suspicion.blame(), 'corrupt');
  t.is(suspicion.blame(), 'missing');
});

test('what came before the trouble and is whole does not clear it', (t) => {
  const suspicion = new Suspicion();
  suspicion.note('corrupt');
  suspicion.unfounded({ reachMs: 1000, positionMs: 800 });
  suspicion.unfounded({ reachMs: 1000, positionMs: 1000 });
  t.is(suspicion.blame(), 'corrupt');
});

test('trouble after which the call goes on without a hole is not blamed for a later one', (t) => {
  const suspicion = new Suspicion();
  suspicion.note('corrupt');
  suspicion.unfounded({ reachMs: 1000, positionMs: 1000 });
  suspicion.unfounded({ reachMs: 1250, positionMs: 1250 });
  t.is(suspicion.blame(), 'missing');
});
